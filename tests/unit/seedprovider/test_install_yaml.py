"""cassandra.yaml edited as text: the seed provider is ours, and nothing else is touched."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from seedprovider.install.errors import InputError
from seedprovider.install.parameters import CLASS, Provider, wanted
from seedprovider.install.yamledit import through_entrypoint, with_provider
from seedprovider.install.yamltext import parse, provider_of, setting_of
from tests.fakes.cassandrayaml import SHAPE_3_11, SHAPE_4_1, SHAPE_5_0, SHAPES

URL = "http://127.0.0.1:8078"
BLOCK = f"""\
  - class_name: {CLASS}
    parameters:
      - sidecar_url: "{URL}"
        seeds: "10.0.0.1"
"""


def edited(text: str, seeds: str = "") -> str:
    document = parse(text)
    return with_provider(document, wanted(provider_of(document), seeds, URL).provider)


def check(text: str) -> dict[str, object]:
    """Return the settings, after what must hold of every edited file."""
    held: dict[str, object] = yaml.safe_load(text)
    assert edited(text) == text, "a second run changes something"
    assert yaml.safe_load(through_entrypoint(text, "10.9.9.9")) == held
    return held


def ours(seeds: str | None = "10.0.0.1") -> list[object]:
    parameters = {"sidecar_url": URL} | ({"seeds": seeds} if seeds else {})
    return [{"class_name": CLASS, "parameters": [parameters]}]


def told(text: str) -> str:
    with pytest.raises(InputError) as caught:
        edited(text)
    return str(caught.value)


# -- files as Cassandra brings them ------------------------------------------------------------


def test_the_file_of_3_11_keeps_all_but_the_provider() -> None:
    before, _, rest = SHAPE_3_11.partition("    - class_name")

    assert edited(SHAPE_3_11) == (
        before
        + f"  - class_name: {CLASS}\n"
        + "    parameters:\n"
        + "          # addresses between commas,\n"
        + '          # such as "<ip1>,<ip2>"\n'
        + f'      - sidecar_url: "{URL}"\n'
        + rest.partition('seeds: "127.0.0.1"\n')[2]
    )


def test_the_file_of_4_1_looks_as_if_edited_by_hand() -> None:
    by_hand = SHAPE_4_1.replace("org.apache.cassandra.locator.SimpleSeedProvider", CLASS)

    assert edited(SHAPE_4_1) == by_hand.replace(
        '- seeds: "127.0.0.1:7000"', f'- sidecar_url: "{URL}"'
    )


def test_the_file_of_5_0_keeps_a_parameter_that_is_commented_out() -> None:
    text = edited(SHAPE_5_0, seeds="10.0.0.1")

    assert text.startswith(SHAPE_5_0.partition("  - class_name: org.")[0])
    assert text.endswith("\n\nmemtable:" + SHAPE_5_0.partition("\n\nmemtable:")[2])
    assert '        # resolve_multiple_ip_addresses_per_dns_record: "false"\n' in text
    assert check(text)["seed_provider"] == ours()


@pytest.mark.parametrize("text", SHAPES)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_a_byte_order_mark_stay(text: str, end: str, mark: str) -> None:
    given_text = mark + text.replace("\n", end)

    assert edited(given_text) == mark + edited(text).replace("\n", end)


# -- other shapes ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        "\n  - class_name: X\n    parameters:\n      - seeds: 10.0.0.1\n",
        "\n- class_name: X\n  parameters:\n  - seeds: '10.0.0.1'\n",
        "\n  class_name: X\n  parameters: {seeds: 10.0.0.1}\n",
        "\n  - class_name: X\n    parameters:\n      seeds: |\n        10.0.0.1\n",
        " [{class_name: X, parameters: [{seeds: 10.0.0.1}]}]\n",
        ' [{"class_name": "X",\n "parameters":\n [{"seeds": "10.0.0.1"}]}]\n',
        "\n  - parameters:\n      - seeds: 10.0.0.1\n    class_name: X\n",
        ' &all\n  - &one\n    "class_name": !!str X\n    ? parameters\n    : - seeds: *ip\n',
        " # why\n\n  - class_name: X # once\n    parameters: [{seeds: 10.0.0.1}] # others\n",
    ],
)
@pytest.mark.parametrize("key", ["seed_provider:", '"seed_provider":', "? seed_provider\n:"])
def test_every_way_to_write_it_becomes_one(key: str, value: str) -> None:
    before, after = "listen_address: &ip 10.0.0.1\n", "# c\nnum_tokens: 16 # d\n"
    text = edited(f"{before}{key}{value}{after}")

    assert text.startswith(f"{before}{key}")
    assert text.endswith(BLOCK.rpartition("\n      -")[2] + after)
    assert check(text)["seed_provider"] == ours()


def test_comments_behind_values_become_lines_beside_them() -> None:
    text = edited(
        "seed_provider: # why\n  - class_name: X # once\n"
        "    parameters: # these\n      - seeds: 10.0.0.1 # others\n"
    )

    assert text == (
        "seed_provider: # why\n"
        "  # once\n"
        f"  - class_name: {CLASS}\n"
        "    parameters:\n"
        "      # these\n"
        "      # others\n"
        f'      - sidecar_url: "{URL}"\n'
        '        seeds: "10.0.0.1"\n'
    )


@pytest.mark.parametrize("value", ["", " ~", " null", " []", "\n# later"])
def test_a_provider_that_says_nothing_is_filled_in(value: str) -> None:
    text = edited(f"seed_provider:{value}\nnum_tokens: 16\n", seeds="10.0.0.1")

    assert check(text) == {"seed_provider": ours(), "num_tokens": 16}


@pytest.mark.parametrize("parameters", ["", "    parameters:\n", "    parameters: []\n"])
def test_parameters_that_are_missing_are_none(parameters: str) -> None:
    text = edited(f"seed_provider:\n  - class_name: X\n{parameters}num_tokens: 16\n")

    assert check(text) == {"seed_provider": ours(None), "num_tokens": 16}


@pytest.mark.parametrize(
    "text",
    [
        "num_tokens: 16\n",
        "num_tokens: 16",
        "num_tokens: 16 # few\n# end\n",
        "---\nnum_tokens: 16\n...\n",
        "  num_tokens: 16\n",
        "num_tokens: 16\nnote: |+\n  text\n\n",
        "{num_tokens: 16}\n",
        "{num_tokens: 16, # few\n}",
        "{}",
    ],
)
def test_a_file_without_a_provider_gets_one_behind_the_rest(text: str) -> None:
    result = edited(text, seeds="10.0.0.1")
    held = yaml.safe_load(text)

    assert check(result) == {**held, "seed_provider": ours()}
    assert [line for line in text.splitlines() if "#" in line] == [
        line for line in result.splitlines() if "#" in line
    ]


@pytest.mark.parametrize(
    "value", ['[{"class_name": "X", "parameters": [{"seeds": "10.0.0.1"}]}]', "{class_name: X}"]
)
def test_a_file_in_braces_stays_in_braces(value: str) -> None:
    text = f'{{"num_tokens": 16,\n # c\n "seed_provider": {value}, # d\n "listen": 1}}\n'
    result = edited(text, seeds="10.0.0.1")

    assert check(result) == {"num_tokens": 16, "seed_provider": ours(), "listen": 1}
    assert result.replace(result.partition("provider")[2].partition(", # d")[0], "") == (
        text.replace(text.partition("provider")[2].partition(", # d")[0], "")
    )


def test_what_is_as_it_should_be_is_left_as_it_is() -> None:
    text = f"seed_provider: [{{class_name: {CLASS}, parameters: [{{sidecar_url: '{URL}'}}]}}]"

    assert edited(text) == text


def test_our_own_class_with_its_seeds_first_is_written_anew() -> None:
    text = edited(
        f"seed_provider:\n- class_name: {CLASS}\n  parameters:\n  - seeds: 10.0.0.1\n"
    )

    assert text == f"seed_provider:\n{BLOCK}"


# -- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not a mapping"),
        ("- a\n", "not a mapping"),
        ("text", "not a mapping"),
        ("a: [\n", "not YAML: line 2"),
        ("a: 1\nb:\t2\n", "not YAML: line 2: found character '\\t'"),
        ("a: 1\n---\nb: 2\n", "not YAML: line 2"),
        ("a: \x00\n", "not YAML"),
        ("[" * 5000, "nested too deep"),
        ("seed_provider: 1\nb: 2\nseed_provider: 3\n", "twice, in lines 1 and 3"),
        ("seed_provider: X\n", "a list of one map"),
        ("seed_provider: [a, b]\n", "one map, not several"),
        ("seed_provider:\n- parameters: []\n", "no class_name"),
        ("seed_provider: {class_name: X, parameters: a}\n", "parameters of seed_provider"),
        ("seed_provider: {class_name: X, parameters: [{a: 1}, {b: 1}]}\n", "not several"),
        ("seed_provider: {class_name: X, parameters: {seeds: [a]}}\n", "'seeds' has to be one"),
        ("seed_provider: {class_name: X, parameters: {seeds: a, seeds: b}}\n", "each once"),
        ("b: &b {seeds: a}\nseed_provider: {class_name: X, parameters: {<<: *b}}\n", "no `<<`"),
        ("seed_provider: {class_name: X, parameters: {? [a] : b}}\n", "plain keys"),
        ("{seed_provider}", "write seed_provider as a plain key"),
        ("seed_provider: {class_name: &x X}\nb: *x\n", "an anchor in it"),
        ("note: |\n  - seeds: a\n", "no text `- seeds:`"),
        ("note: |\n  text", "end the file with a line break"),
    ],
)
def test_what_cannot_be_edited_is_told_and_left(text: str, why: str) -> None:
    assert why in told(text)


# -- laws --------------------------------------------------------------------------------------

WORD = st.from_regex(r"[a-z]{1,8}", fullmatch=True)
COMMENT = st.text(
    st.characters(codec="ascii", categories=["L", "N", "P", "S", "Zs"]), max_size=20
)
SEEDS = st.lists(
    st.from_regex(r"10\.[0-9]\.[0-9]\.[0-9]|[a-z]{2,9}-[0-9]\.example", fullmatch=True),
    max_size=4,
)


@st.composite
def lines_of_settings(draw: st.DrawFn, prefix: str) -> str:
    """Draw some settings under names that begin with `prefix`, with comments all over."""
    text = ""
    for number in range(draw(st.integers(0, 3))):
        name = f"{prefix}{number}"
        text += draw(
            st.one_of(
                COMMENT.map(lambda c: f"# {c}\n"),
                st.just("\n"),
                st.builds(lambda v, c, n=name: f"{n}: {v}  # {c}\n", WORD, COMMENT),
                st.builds(lambda v, n=name: f"{n}:\n    - '{v}'\n    - \"# no\"\n", WORD),
                st.builds(lambda v, n=name: f"{n}: |\n    {v}\n    # text\n", WORD),
                st.builds(lambda v, n=name: f"{n}: {{{v}: [1, 2]}}\n", WORD),
            )
        )
    return text


@st.composite
def providers(draw: st.DrawFn) -> tuple[str, tuple[str, ...], list[str]]:
    """Draw a block of `seed_provider`, with its seeds and its comments."""
    seeds, comments = draw(SEEDS), []

    def comment() -> str:
        said = draw(st.none() | COMMENT)
        if said is None:
            return "\n"
        comments.append(f"# {said}".strip())
        return f"{draw(st.sampled_from([' ', chr(10) + '  ', chr(10)]))}# {said}\n"

    step = draw(st.sampled_from(["  ", "    "]))
    quote = draw(st.sampled_from(["'", '"']))
    text = (
        f"seed_provider:{comment()}{step}- class_name: org.example.Simple{comment()}"
        f"{step}  parameters:{comment()}{step}    - other: a{comment()}"
        f"{step}      seeds: {quote}{', '.join(seeds)}{quote}{comment()}"
    )
    return text, tuple(seeds), comments


@given(lines_of_settings("a"), providers(), lines_of_settings("b"))
def test_every_byte_outside_stays_and_seeds_and_comments_survive(
    before: str, provider: tuple[str, tuple[str, ...], list[str]], after: str
) -> None:
    block, seeds, comments = provider
    text = edited(f"{before}{block}{after}")

    assert text.startswith(f"{before}seed_provider:")
    assert text.endswith(after)
    held = check(text)
    assert held["seed_provider"] == ours(",".join(seeds))
    middle = text[len(before) : len(text) - len(after)]
    kept = [f"#{line.partition('#')[2]}".strip() for line in middle.splitlines() if "#" in line]
    assert sorted(kept) == sorted(comments)


@given(lines_of_settings("a"), lines_of_settings("b"), st.sampled_from(["\n", "\r\n"]), SEEDS)
def test_a_file_without_a_provider_keeps_every_byte(
    before: str, after: str, end: str, seeds: list[str]
) -> None:
    text = f"{before}num_tokens: 16\n{after}".replace("\n", end)
    result = edited(text, ",".join(seeds))

    assert check(result)["seed_provider"] == ours(",".join(seeds))
    at = result.index("seed_provider:")
    stop = result.index(end, result.index("seeds:" if seeds else "sidecar_url:", at))
    added = result[at : stop + len(end)]
    assert result.replace(added, "", 1) == text


def test_a_setting_is_read_as_it_is_written() -> None:
    document = parse("endpoint_snitch: 'SimpleSnitch'\nnum_tokens: 16\nempty:\nlist: [a]\n")

    assert [setting_of(document, name) for name in ("endpoint_snitch", "num_tokens")] == [
        "SimpleSnitch",
        "16",
    ]
    assert [setting_of(document, name) for name in ("empty", "list", "absent")] == [""] * 3
    assert provider_of(document) is None
    assert with_provider(document, Provider(CLASS, {"sidecar_url": URL})) != document.text
