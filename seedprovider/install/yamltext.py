"""Where ``seed_provider`` stands in the text of ``cassandra.yaml``, and what it says.  Pure.

The text is read with PyYAML, which like Cassandra's SnakeYAML reads YAML 1.1: what one of them
refuses the other does too.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

import yaml

from seedprovider.install.errors import InputError
from seedprovider.install.parameters import Provider

KEY: Final = "seed_provider"
BREAK: Final = re.compile("(\r\n|[\r\n\x85\u2028\u2029])")
"""What YAML 1.1 ends a line at."""

_OPENS: Final = (
    yaml.BlockMappingStartToken,
    yaml.BlockSequenceStartToken,
    yaml.FlowMappingStartToken,
    yaml.FlowSequenceStartToken,
)
_CLOSES: Final = (yaml.BlockEndToken, yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken)
_PROPERTIES: Final = (yaml.TagToken, yaml.AnchorToken)
_NULL: Final = "tag:yaml.org,2002:null"


@dataclass(frozen=True, slots=True)
class Document:
    """A cassandra.yaml, as text and as tokens with their places in it.

    Attributes:
        tokens: all of them, in order; ``token.start_mark.index`` is a place in `text`.
        key: number of the token that begins the ``seed_provider`` pair, None without one.
        colon: number of the token between key and value; 0 without one.
        end: number of the token after the pair; without one, of the end of the mapping.
        opening: number of the token that opens the mapping.
        root: the mapping itself.

    """

    text: str
    tokens: tuple[Any, ...]
    key: int | None
    colon: int
    end: int
    opening: int
    root: yaml.MappingNode

    @property
    def is_flow(self) -> bool:
        """Whether the whole file is written with braces, as JSON is."""
        return isinstance(self.tokens[self.opening], yaml.FlowMappingStartToken)

    @property
    def value(self) -> list[Any]:
        """Return the tokens of the value that take up text."""
        held = self.tokens[self.colon + 1 : self.end] if self.key is not None else ()
        return [token for token in held if token.end_mark.index > token.start_mark.index]

    @property
    def column(self) -> int:
        """Return how far the keys of the mapping are indented."""
        return int(self.tokens[self.opening].start_mark.column)

    @property
    def class_name_end(self) -> int | None:
        """Return the place behind the first ``class_name`` of the value, None without one."""
        held = self.tokens[self.colon + 1 : self.end] if self.key is not None else ()
        for number, token in enumerate(held):
            if getattr(token, "value", None) == "class_name":
                scalars = (t for t in held[number + 1 :] if isinstance(t, yaml.ScalarToken))
                name = next(scalars, None)
                return None if name is None else int(name.end_mark.index)
        return None

    def outside(self) -> list[tuple[object, ...]]:
        """Return all tokens but those of the pair, as values to compare."""
        first = self.end if self.key is None else self.key
        kept = (*self.tokens[:first], *self.tokens[self.end :])
        # A comma in braces belongs to the pair as much as to its neighbours.
        return [_content(token) for token in kept if not isinstance(token, yaml.FlowEntryToken)]


def parse(text: str) -> Document:
    """Read a cassandra.yaml; raise `InputError` for what is none."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        tokens = tuple(yaml.scan(text, Loader=yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise InputError(f"cassandra.yaml is not YAML: {_told(error)}") from None
    except RecursionError:
        raise InputError("cassandra.yaml is not YAML: nested too deep") from None
    if not isinstance(root, yaml.MappingNode):
        raise InputError("cassandra.yaml is not a mapping of settings to values")
    named = [key for key, _ in root.value if _text(key) == KEY]
    if len(named) > 1:
        lines = " and ".join(str(key.start_mark.line + 1) for key in named)
        raise InputError(f"cassandra.yaml has {KEY} twice, in lines {lines}: leave one")
    opening = next(n for n, token in enumerate(tokens) if isinstance(token, _OPENS))
    key, colon, end = _find(tokens, opening)
    if (key is not None) != bool(named):
        raise InputError(f"cassandra.yaml: write {KEY} as a plain key, `{KEY}:`")
    return Document(text, tokens, key, colon, end, opening, root)


def _find(tokens: tuple[Any, ...], opening: int) -> tuple[int | None, int, int]:
    """Return the numbers of key, colon and end; see `Document`."""
    key, colon, depth = None, 0, 0
    for number in range(opening, len(tokens)):
        token = tokens[number]
        depth += isinstance(token, _OPENS)
        depth -= isinstance(token, _CLOSES)
        ends_pair = depth == 1 and isinstance(token, yaml.KeyToken | yaml.FlowEntryToken)
        if depth == 0 or (key is not None and ends_pair):
            return key, colon, number
        if depth == 1 and isinstance(token, yaml.KeyToken):
            after = number + 1
            while isinstance(tokens[after], _PROPERTIES):
                after += 1
            is_ours = getattr(tokens[after], "value", None) == KEY
            if is_ours and isinstance(tokens[after + 1], yaml.ValueToken):
                key, colon = number, after + 1
    raise InputError("cassandra.yaml is not a mapping of settings to values")


def provider_of(document: Document) -> Provider | None:
    """Return what ``seed_provider`` says, None where it says nothing.

    It is a list of one map, as Cassandra's ``ParameterizedClass`` wants it, or the map alone;
    so are the parameters.  Raises `InputError` for other shapes.
    """
    pairs = _map(_setting(document, KEY), KEY)
    if pairs is None:
        return None
    name = _text(pairs.get("class_name"))
    if not name:
        raise InputError(f"cassandra.yaml: {KEY} has no class_name")
    given = _map(pairs.get("parameters"), f"parameters of {KEY}") or {}
    parameters = {}
    for key, node in given.items():
        text = _text(node)
        if text is None:
            raise InputError(f"cassandra.yaml: {KEY} parameter {key!r} has to be one text")
        parameters[key] = text
    return Provider(name, parameters)


def setting_of(document: Document, name: str) -> str:
    """Return a setting that is one text, empty where it is not there or something else."""
    return _text(_setting(document, name)) or ""


def _setting(document: Document, name: str) -> yaml.Node | None:
    return next((value for key, value in document.root.value if _text(key) == name), None)


def _map(node: yaml.Node | None, what: str) -> dict[str, yaml.Node] | None:
    """Return the one map in a node, None where it is null, absent or an empty list."""
    if isinstance(node, yaml.SequenceNode):
        if len(node.value) > 1:
            line = node.value[1].start_mark.line + 1
            raise InputError(
                f"cassandra.yaml, line {line}: {what} has to be one map, not several"
            )
        node = node.value[0] if node.value else None
    if node is None or _text(node) == "":
        return None
    if not isinstance(node, yaml.MappingNode):
        raise InputError(f"cassandra.yaml: {what} has to be a list of one map")
    names = [_text(key) for key, _ in node.value]
    if None in names or "<<" in names or len(set(names)) < len(names):
        line = node.start_mark.line + 1
        raise InputError(
            f"cassandra.yaml, line {line}: {what} has to have plain keys, each once and no `<<`"
        )
    return {str(name): value for name, (_, value) in zip(names, node.value, strict=True)}


def _text(node: yaml.Node | None) -> str | None:
    """Return a scalar as it is written, empty for null; None for no scalar."""
    if not isinstance(node, yaml.ScalarNode):
        return None
    return "" if node.tag == _NULL else str(node.value)


def _content(token: object) -> tuple[object, ...]:
    return type(token), getattr(token, "value", None), getattr(token, "plain", None)


def _told(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"line {error.problem_mark.line + 1}: {error.problem}"
    return str(error).partition("\n")[0]
