"""The explorer: a page that shows the words of models on a map, and asks the service about them.

The page is written in TypeScript (the folder ``explorer`` of the repository) and lies here as it
was built, so that nobody needs a build tool to install firth.
"""

from firth.service.explorer._routes import explorer_routes

__all__ = ["explorer_routes"]
