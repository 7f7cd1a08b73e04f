"""A store in a browser: `pathei view` serves it on this machine, or writes it into one HTML file.

`answers` says what there is to see as JSON, `changes` what each step changed, `page` puts the page together and exports
it, `server` serves it. The page itself (`page.html`, `page.css`, `page.js`) is the same for both; it needs no other
package and loads nothing from elsewhere.
"""

from .page import EpisodeFilter, export_page
from .server import ViewerServer

__all__ = ["EpisodeFilter", "ViewerServer", "export_page"]
