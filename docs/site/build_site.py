"""Build the site of the documentation: ``make docs``.

The pages are those of the repository, which read well there, too. What a site needs beyond them is
made here: the navigation from ``docs/index.md``, the reference from docstrings
(`reference_pages.py`), and links that lead to pages of the site. Zensical renders all that, and any
warning of it fails the build; so does a link of the finished pages that leads nowhere, or something
that would be fetched from elsewhere when a page is read (`check_site.py`).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path, PurePosixPath

from check_site import problems_of
from reference_pages import link_names, public_names, reference_pages

REPOSITORY = Path(__file__).resolve().parents[2]
DOCS = REPOSITORY / "docs"
HERE = Path(__file__).resolve().parent
# Pages that lie elsewhere, and what they are called on the site.
ELSEWHERE = {
    "README.md": "start.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changes.md",
}
EXTENSION = "types_as_written.py"
FENCE = re.compile(r"^(```.*?^```)", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"(!?\[[^\]]*\]\()([^)\s]+)(\))")
ENTRY = re.compile(r"^- \[([^\]]*)\]\(([^)\s]+)\)", re.MULTILINE)
# What marks a block for the tests is not for readers.
COMMENT = re.compile(r"^<!--.*?-->\n", re.DOTALL | re.MULTILINE)


class SiteError(Exception):
    """The pages of the repository do not make a site."""


def site_paths() -> dict[Path, str]:
    """Where each page and picture of the repository stands on the site."""
    paths = {REPOSITORY / name: page for name, page in ELSEWHERE.items()}
    for path in sorted(DOCS.rglob("*")):
        if path.is_file() and HERE not in path.parents:
            paths[path] = path.relative_to(DOCS).as_posix()
    return paths


def relink(text: str, path: Path, paths: dict[Path, str]) -> str:
    """Turn the links of a page of the repository into those of the site.

    A file that is linked to and is no page (a benchmark, the licence) is added to `paths`.
    """
    folder = PurePosixPath(paths[path]).parent

    def site_link(match: re.Match[str]) -> str:
        before, link, after = match.groups()
        name, mark, anchor = link.partition("#")
        if "://" in name or not name:
            return match.group()
        target = (path.parent / name).resolve()
        if target not in paths:
            if not target.is_file():
                raise SiteError(f"{path.relative_to(REPOSITORY)} links to {link}: there is no file")
            paths[target] = f"files/{target.relative_to(REPOSITORY).as_posix()}"
        to = PurePosixPath(os.path.relpath(paths[target], folder))
        return f"{before}{to}{mark}{anchor}{after}"

    parts = FENCE.split(COMMENT.sub("", text))
    return "".join(p if p.startswith("```") else LINK.sub(site_link, p) for p in parts)


def navigation(index: str, reference: list[str]) -> list[object]:
    """Make the navigation of the headings and links of docs/index.md.

    Below "Reference", the pages of the reference follow: names of firth, then other modules.
    """
    menu: list[object] = [{"firth": "index.md"}, {"Two minutes": "start.md"}]
    for section in index.split("\n## ")[1:]:
        heading, _, body = section.partition("\n")
        links = {
            title: ELSEWHERE[link[3:]] if link.startswith("../") else link
            for title, link in ENTRY.findall(body)
        }
        entries: list[object] = [{title: page} for title, page in links.items()]
        if heading == "Reference":
            modules = [{Path(page).stem: page} for page in reference if "/firth." in page]
            names = [{Path(page).stem: page} for page in reference if "/firth." not in page]
            entries += [{"firth": names}, {"Modules of firth": modules}]
        # A heading with a single page is that page.
        menu.append({heading: entries if len(entries) > 1 else next(iter(links.values()))})
    return menu


def toml(value: object) -> str:
    """Write the lists, tables and strings of a navigation as TOML."""
    if isinstance(value, list):
        return "[" + ", ".join(toml(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{toml(k)} = {toml(v)}" for k, v in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)


def settings(menu: list[object]) -> str:
    """Complete the settings by what is made here."""
    text = (HERE / "zensical.toml").read_text(encoding="utf-8")
    text = text.replace("[project]\n", f"[project]\nnav = {toml(menu)}\n", 1)
    for name, path in (("src", REPOSITORY / "src"), (EXTENSION, HERE / EXTENSION)):
        text = text.replace(f'["{name}"]', toml([str(path)]))
    return text


def stage(work: Path) -> None:
    """Write all that Zensical renders into a folder."""
    shutil.rmtree(work, ignore_errors=True)
    paths = site_paths()
    texts = {
        page: relink(path.read_text(encoding="utf-8"), path, paths)
        for path, page in list(paths.items())
        if path.suffix == ".md"
    }
    reference = reference_pages(public_names(texts["api.md"]))
    texts["api.md"] = link_names(texts["api.md"])
    files = {page: path for path, page in paths.items() if path.suffix != ".md"}
    files["assets/firth.css"] = HERE / "firth.css"
    for page in (*texts, *reference, *files):
        (work / "pages" / page).parent.mkdir(parents=True, exist_ok=True)
    for page, text in (texts | reference).items():
        (work / "pages" / page).write_text(text, encoding="utf-8")
    for page, path in files.items():
        shutil.copyfile(path, work / "pages" / page)
    menu = navigation((DOCS / "index.md").read_text(encoding="utf-8"), list(reference))
    (work / "zensical.toml").write_text(settings(menu), encoding="utf-8")


def build(work: Path) -> list[str]:
    """Build the site in a folder; gives what is wrong with it."""
    try:
        stage(work)
    except SiteError as error:
        return [str(error)]
    command = [sys.executable, "-m", "zensical", "build", "--strict", "-f", "zensical.toml"]
    done = subprocess.run(command, cwd=work, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    # Python writes warnings of its own (deprecations, say), which strict mode does not know.
    if done.returncode or "warning" in said.lower():
        return [said.strip()]
    return problems_of(work / "html")


def main() -> int:
    """Build the site below build/docs and say where it is."""
    work = REPOSITORY / "build" / "docs"
    if problems := build(work):
        print("\n".join(problems), file=sys.stderr)
        return 1
    print(f"{work / 'html' / 'index.html'}")
    print(f"To search it, serve it: {sys.executable} -m http.server -d {work / 'html'}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
