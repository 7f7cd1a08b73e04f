"""Skills as SKILL.md folders: what is written is read back, and what has not the form is refused in one sentence."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pathei.errors import MemoryStoreError
from pathei.memory.exchange.skill_files import read_skills, write_skills
from pathei.memory.items import Draft, Item, Source

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=40)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT, lambda one: st.lists(one, max_size=3)
)
DRAFTS = st.builds(
    Draft,
    kind=st.just("skill"),
    text=TEXT,
    env=TEXT,
    key=TEXT,
    task=TEXT,
    success=st.none() | st.booleans(),
    data=st.dictionaries(TEXT, JSON, max_size=4),
    time=st.floats(0, 1e10),
    importance=st.floats(0, 1),
    confidence=st.floats(0, 1),
    source=st.builds(Source, TEXT, st.none() | st.integers(0, 99)),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drafts=st.lists(DRAFTS, min_size=1, max_size=3))
def test_what_is_written_is_read_back(tmp_path_factory: pytest.TempPathFactory, drafts: list[Draft]) -> None:
    folder = tmp_path_factory.mktemp("skills")
    items = [Item(f"skill-{number}", draft) for number, draft in enumerate(drafts)]
    paths = write_skills(items, folder)
    assert len({path.parent for path in paths}) == len(drafts)
    read = dict(zip(sorted(paths), read_skills(folder), strict=True))
    assert [read[path] for path in paths] == drafts


def test_a_file_reads_like_a_skill(tmp_path: Path) -> None:
    data = {"name": "put away", "parameters": ["$0: graspable"], "steps": ["[Walk] <$0>", "[Grab] <$0>"]}
    item = Item(
        "skill-0001", Draft("skill", "Put a thing away.", "pathei/VirtualHome-v0", data=data), seen=3, helpful=2
    )
    [path] = write_skills([item], tmp_path)
    assert path == tmp_path / "put-away-kill0001" / "SKILL.md"
    text = path.read_text()
    assert text.startswith("---\nname: put-away-kill0001\ndescription: Put a thing away.\n")
    assert "## Steps\n\n1. [Walk] <$0>\n1. [Grab] <$0>\n" in text
    assert "Seen 3 times" in text


def test_skills_of_others_are_read_for_what_they_say(tmp_path: Path) -> None:
    (tmp_path / "pdf").mkdir()
    (tmp_path / "pdf" / "SKILL.md").write_text("---\nname: pdf\ndescription: Fill forms.\n---\n\n# PDF\nDo this.\n")
    [draft] = read_skills(tmp_path)
    assert (draft.text, draft.key, draft.confidence) == ("Fill forms.", "file:pdf", 0.5)


@pytest.mark.parametrize(
    "text",
    [
        "no front matter",
        "---\nname: x\n",
        "---\nname: x\n---\n",
        "---\n- a\n---\n",
        "---\ndescription: !!python/object/apply:os.system ['true']\n---\n",
        "---\ndescription: x\nmetadata: {pathei: '[1]'}\n---\n",
        "---\ndescription: " + "x" * 300_000 + "\n---\n",
    ],
)
def test_what_is_no_skill_is_refused_in_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "SKILL.md").write_text(text)
    with pytest.raises(MemoryStoreError, match=r"SKILL\.md cannot be read"):
        read_skills(tmp_path)


def test_only_skills_are_written(tmp_path: Path) -> None:
    fact = Item("fact-1", Draft("fact", "Cups are in the cabinet.", ""))
    with pytest.raises(MemoryStoreError, match="'fact-1' is a fact"):
        write_skills([fact], tmp_path)
    with pytest.raises(MemoryStoreError, match="no SKILL"):
        read_skills(tmp_path)
