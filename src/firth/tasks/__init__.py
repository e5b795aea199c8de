"""Word vectors put to work: texts told apart."""

__all__: list[str] = []
