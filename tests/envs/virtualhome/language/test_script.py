"""Script lines and program files: what is read, what is refused and in which words, and what is written back."""

from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathei.envs.virtualhome.engine import rules_original as originals
from pathei.envs.virtualhome.engine.profiles import rules_named
from pathei.envs.virtualhome.engine.rules import EngineAction, Rule
from pathei.envs.virtualhome.engine.scene import Scene
from pathei.envs.virtualhome.language.script import (
    LineReader,
    Program,
    parse_line,
    read_program,
    write_line,
    write_program,
)
from pathei.errors import ScriptError

DATA = Path(__file__).parents[3] / "data" / "virtualhome"
SCENE = Scene.from_graph(orjson.loads((DATA / "small.json").read_bytes()))
V1 = originals.v1()
CLEAN = rules_named("clean")
CUP, TABLE = SCENE.index[19], SCENE.index[10]
NODES = st.integers(0, len(SCENE.ids) - 1)
ACTIONS = st.sampled_from(sorted(V1.table)).flatmap(
    lambda verb: st.tuples(*[NODES] * V1.table[verb].arity).map(lambda nodes: EngineAction(verb, *nodes))
)


@pytest.mark.parametrize(
    ("line", "action"),
    [
        ("[Grab] <cup> (19)", EngineAction("GRAB", CUP)),
        ("  [gRaB]<cup>(19)  and more", EngineAction("GRAB", CUP)),
        ("[GRAB] <cup> (1.19)", EngineAction("GRAB", CUP)),
        ("[Grab] <banana> (19)", EngineAction("GRAB", CUP)),
        ("[PutBack] <cup> (19) <table> (10)", EngineAction("PUTBACK", CUP, TABLE)),
        ("[putback] <Dining Cup>  (2.19) on the <table>(1.10)", EngineAction("PUTBACK", CUP, TABLE)),
        ("[StandUp]", EngineAction("STANDUP")),
        ("[LookAt_Medium] <cup> (19)", EngineAction("LOOKAT", CUP)),
    ],
)
def test_a_line_is_read_by_verb_and_id(line: str, action: EngineAction) -> None:
    assert parse_line(line, SCENE, V1) == action
    assert LineReader(SCENE, V1)(line) == action


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("Grab the cup", "does not begin with a verb in brackets"),
        ("<char> [walk] <cup> (19)", "does not begin with a verb in brackets"),
        ("[Grabb] <cup> (19)", "no such verb .did you mean Grab."),
        ("[LookAt_Short] <cup> (19)", "no rules can execute it"),
        ("[Grab]", "names 0 objects, and Grab takes one object"),
        ("[PutIn] <cup> (19)", "names 1 objects, and PutIn takes two objects"),
        ("[StandUp] <cup> (19)", "takes no object"),
        ("[Grab] <cup> (nineteen)", "has .nineteen. where an id should stand"),
        ("[Grab] <cup> (99)", "names node 99, and there is no such node"),
        ("", "does not begin with a verb"),
    ],
)
def test_a_bad_line_gets_one_sentence(line: str, message: str) -> None:
    with pytest.raises(ScriptError, match=message) as caught:
        parse_line(line, SCENE, V1)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


def test_a_name_that_contradicts_the_id_is_refused_unless_the_rules_are_historical() -> None:
    line = "[Grab] <banana> (19)"
    assert parse_line(line, SCENE, V1) == parse_line(line, SCENE, CLEAN, strict_names=False)
    for rules, strict in ((CLEAN, None), (V1, True)):
        with pytest.raises(ScriptError, match="calls node 19 a banana, but it is a cup"):
            parse_line(line, SCENE, rules, strict_names=strict)
        with pytest.raises(ScriptError, match="calls node 19 a banana"):
            LineReader(SCENE, rules, strict_names=strict)(line)


@given(ACTIONS)
def test_every_action_is_written_and_read_back(action: EngineAction) -> None:
    line = write_line(action, SCENE, V1)
    assert parse_line(line, SCENE, V1, strict_names=True) == action
    assert write_line(action, SCENE) == line


def test_a_verb_of_your_own_is_read_and_spelled_as_its_rule_says() -> None:
    mine = V1.extended(Rule("KnockOn", ("knock on {0}",)))
    action = parse_line("[knockon] <door> (4)", SCENE, mine)
    assert write_line(action, SCENE, mine) == "[KnockOn] <door> (4)"
    with pytest.raises(ScriptError, match="no such verb"):
        parse_line("[KnockOn] <door> (4)", SCENE, V1)


def test_a_robothow_file_is_read_as_title_description_and_lines(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("Drink\nI take a cup.\n\n\n[WALK] <cup> (1.19)\n# a remark\n\n[GRAB] <cup> (1.19)\n", "utf-8")
    program = read_program(path)
    assert program == Program("Drink", "I take a cup.", ("[WALK] <cup> (1.19)", "[GRAB] <cup> (1.19)"), (5, 8))
    assert program.actions(SCENE, V1) == (EngineAction("WALK", CUP), EngineAction("GRAB", CUP))
    assert read_program(path.read_text("utf-8")) == program


def test_lines_alone_are_a_program_too() -> None:
    program = read_program(DATA / "small.txt")
    assert (program.title, program.description) == ("", "")
    assert len(program.actions(SCENE, V1)) == len(program.lines) > 40


def test_a_bad_line_of_a_program_is_named_by_its_number() -> None:
    program = read_program("Drink\n\n\n\n[WALK] <cup> (19)\n\n[GARB] <cup> (19)\n")
    with pytest.raises(
        ScriptError, match=r"^In line 7 of the program: the line '\[GARB\] <cup> \(19\)' has the verb GARB"
    ):
        program.actions(SCENE, V1)
    program = read_program("[WALK] <cup> (19)\nthen grab it\n")
    with pytest.raises(ScriptError, match="In line 2 of the program"):
        program.actions(SCENE, V1)
    with pytest.raises(ScriptError, match="In line 1 of the program"):
        Program("", "", ("[WALK] <cup>",)).actions(SCENE, V1)


def test_a_file_without_script_lines_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.txt"
    path.write_text("Drink\nI take a cup.\n", "utf-8")
    with pytest.raises(ScriptError, match="holds no script line"):
        read_program(path)
    with pytest.raises(ScriptError, match="cannot be read"):
        read_program(tmp_path / "nowhere.txt")
    path.write_bytes(b"\xff\xfe[")
    with pytest.raises(ScriptError, match="cannot be read"):
        read_program(path)


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=8)
TEXTS = st.lists(WORDS, min_size=1, max_size=4).map(" ".join).filter(lambda text: text[0] not in "[#")


@given(
    TEXTS, st.one_of(st.just(""), st.lists(TEXTS, min_size=1, max_size=3).map("\n".join)), st.lists(ACTIONS, min_size=1)
)
def test_a_program_is_written_and_read_back(title: str, description: str, actions: list[EngineAction]) -> None:
    program = Program(title, description, tuple(write_line(action, SCENE) for action in actions))
    again = read_program(write_program(program))
    assert (again.title, again.description, again.lines) == (title, description, program.lines)
    assert again.actions(SCENE, V1) == tuple(actions)


@pytest.mark.parametrize(
    ("title", "description"), [("[Walk]", ""), ("Drink", "one\n# two"), ("two\nlines", ""), ("", "no title")]
)
def test_a_head_that_would_be_read_as_something_else_is_refused(title: str, description: str) -> None:
    with pytest.raises(ScriptError):
        write_program(Program(title, description, ("[StandUp]",)))
