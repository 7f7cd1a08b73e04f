"""WebShop's own product files, from a folder of the user's; pathei neither ships nor fetches them.

The folder holds `items_shuffle_1000.json` or `items_shuffle.json`, next to it `items_ins_v2_1000.json` or
`items_ins_v2.json`, and, for what people wrote, `items_human_ins.json`. Where both sizes are there the small one is
read, as WebShop does, unless the file itself is named.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from ...errors import DataError
from .catalogue import ProductCatalogue, read_products

_SMALL: Final = "_1000"
_PEOPLE: Final = "items_human_ins.json"


def load_official(where: Path, *, seed: int = 233) -> ProductCatalogue:
    """Read WebShop's products.

    Args:
        where: The folder, or its file of items.
        seed: Of the catalogue.

    Raises:
        DataError: a file is missing, is not JSON, or holds something else.
    """
    items = _items_file(where)
    size = _SMALL if items.stem.endswith(_SMALL) else ""
    ins = items.with_name(f"items_ins_v2{size}.json")
    if not ins.is_file():
        raise DataError(f"{items} needs the attributes of its products next to it: put {ins.name} there.")
    people = items.with_name(_PEOPLE)
    products = read_products(_read(items, list), _read(ins, dict), _read(people, dict) if people.is_file() else {})
    return ProductCatalogue(products, str(where), seed=seed)


def _items_file(where: Path) -> Path:
    if where.is_file():
        return where
    for name in (f"items_shuffle{_SMALL}.json", "items_shuffle.json"):
        if (where / name).is_file():
            return where / name
    raise DataError(
        f"There are no WebShop products in {where}: it should hold items_shuffle_1000.json or items_shuffle.json, "
        "which WebShop's setup.sh downloads."
    )


def _read(path: Path, kind: type) -> Any:
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read as JSON ({error}): fetch it again.") from error
    if not isinstance(content, kind):
        raise DataError(f"{path} should hold a JSON {'list' if kind is list else 'object'}: fetch it again.")
    return content
