/**
 * What the page's policy of content lets through, where the browser knows Trusted Types.
 *
 * regl compiles its draw calls with `Function`, and so the policy has to allow that. This lets
 * exactly regl's programs pass; markup from strings is refused for everybody, since there is no
 * `createHTML`.
 */

interface Factory {
  createPolicy(name: string, rules: { createScript(source: string): string }): unknown;
}

const REGL_PROGRAM = /^\(function anonymous\((g\d+(,g\d+)*)?\s*\) \{\s*"use strict";/;

export function allowReglPrograms(): void {
  const factory = (window as { trustedTypes?: Factory }).trustedTypes;
  factory?.createPolicy("default", {
    createScript(source) {
      if (!REGL_PROGRAM.test(source)) {
        throw new TypeError("this page runs no scripts made of strings");
      }
      return source;
    },
  });
}
