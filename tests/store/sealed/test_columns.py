"""Arrow arrays made of buffers hold what `pyarrow.array` makes of the same values."""

import subprocess
import sys

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from pathei.store.sealed.columns import array_of, lists_of

TEXT, INT, FLOAT, BOOL, BYTES = pa.string(), pa.int64(), pa.float64(), pa.bool_(), pa.binary()
IMAGE = pa.struct([("bytes", BYTES), ("path", TEXT)])
VALUES = {
    TEXT: st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    INT: st.integers(-(2**63), 2**63 - 1),
    FLOAT: st.floats(allow_nan=False),
    BOOL: st.booleans(),
    BYTES: st.binary(max_size=5),
    IMAGE: st.fixed_dictionaries({"bytes": st.none() | st.binary(max_size=3), "path": st.none() | st.text("aé")}),
}


@given(st.data(), st.sampled_from([*VALUES, *map(pa.list_, (TEXT, INT, FLOAT, IMAGE))]), st.booleans())
def test_the_same_array_as_arrow_makes(data: st.DataObject, kind: pa.DataType, nulls: bool) -> None:
    one = st.lists(VALUES[kind.value_type], max_size=4) if pa.types.is_list(kind) else VALUES[kind]
    values = data.draw(st.lists(st.none() | one if nulls else one, max_size=20))
    found = array_of(values, kind)
    found.validate(full=True)
    assert found.equals(pa.array(values, type=kind))
    if kind == TEXT:
        assert array_of([None if text is None else str(text).encode() for text in values], kind).equals(found)


@given(st.lists(st.none() | st.lists(st.integers(0, 3), max_size=4), max_size=20))
def test_lists_of_words_are_those_that_arrow_makes_of_the_words(lists: list[list[int] | None]) -> None:
    words = ["look", "é", "", "open"]
    found = lists_of([None if one is None else np.array(one, np.int32) for one in lists], words)
    found.validate(full=True)
    texts = [None if one is None else [words[place] for place in one] for one in lists]
    assert found.to_pylist() == texts
    assert found.type == pa.list_(pa.dictionary(pa.int32(), TEXT))


def test_pandas_is_not_imported() -> None:
    program = (
        "import sys, pyarrow as pa; from pathei.store.sealed.columns import SCHEMAS, array_of\n"
        "for schema in SCHEMAS.values():\n"
        "    pa.Table.from_arrays([array_of([None, None], field.type) for field in schema], schema=schema)\n"
        "assert 'pandas' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
