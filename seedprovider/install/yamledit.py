"""Putting our seed provider into the text of ``cassandra.yaml``: nothing else changes.  Pure.

The value of ``seed_provider`` is written anew; its comments stay, as does every byte outside.
"""

import json
import re
from typing import Final

import yaml

from seedprovider.install.errors import InputError
from seedprovider.install.parameters import Provider
from seedprovider.install.yamltext import BREAK, KEY, Document, parse, provider_of

PROBE: Final = "written-by-the-entrypoint"

_SEEDS: Final = re.compile(r"(- seeds:).*")
"""What the stock image's entrypoint rewrites on each start: ``s/(- seeds:).*/\\1 "…"/``."""


def with_provider(before: Document, provider: Provider) -> str:
    """Return the text with this ``seed_provider``, the same where it says so already.

    Raises `InputError` where the result could not be proven to be right.
    """
    as_it_is = provider_of(before) == provider
    if as_it_is and _stands(before, before, provider):
        return before.text
    text = _written(before, provider)
    try:
        after = parse(text)
    except InputError as error:
        raise InputError(
            f"{error}; that is after {KEY} was written anew: an anchor in it that is used "
            "elsewhere has to be written out there"
        ) from None
    if not _stands(before, after, provider):
        raise InputError(
            f"cassandra.yaml: {KEY} cannot be edited safely here: write it as a block, "
            "end the file with a line break, and have no text `- seeds:` in another setting, "
            "since Cassandra's entrypoint rewrites that"
        )
    return text


def through_entrypoint(text: str, seeds: str) -> str:
    """Return what the stock image's entrypoint makes of the text."""
    return _SEEDS.sub(lambda found: f'{found[1]} "{seeds}"', text)


def _stands(before: Document, after: Document, provider: Provider) -> bool:
    """Whether only `seed_provider` differs, is as wanted, and stays so at Cassandra's start."""
    try:
        started = parse(through_entrypoint(after.text, PROBE))
        return (
            before.outside() == after.outside() == started.outside()
            and provider_of(after) == provider_of(started) == provider
        )
    except InputError:
        return False


def _written(document: Document, provider: Provider) -> str:
    text, pad, end = document.text, " " * document.column, _line_break(document.text)
    if document.key is None:
        return _appended(document, provider, pad, end)
    start = document.tokens[document.colon].end_mark.index
    stop = len(text[: document.value[-1].end_mark.index].rstrip()) if document.value else start
    if document.is_flow:
        above, below = _comments(document, start, stop, pad, end)
        own = "".join([end, *above, *below]) if above or below else " "
        return f"{text[:start]}{own}{_flow(provider)}{text[stop:]}"
    stop = _line_end(text, stop)
    first = document.value[0].start_mark.index if document.value else stop
    # A comment behind the key stays there.
    start = min(_line_end(text, start), stop) if _line_end(text, start) <= first else start
    block = _block(provider, pad, end, *_comments(document, start, stop, pad, end))
    return f"{text[:start]}{end}{block}{text[stop:]}"


def _appended(document: Document, provider: Provider, pad: str, end: str) -> str:
    text = document.text
    solid = [
        t for t in document.tokens[: document.end] if t.end_mark.index > t.start_mark.index
    ]
    if document.is_flow:
        at = document.tokens[document.end].start_mark.index
        needs_comma = not isinstance(
            solid[-1], yaml.FlowEntryToken | yaml.FlowMappingStartToken
        )
        return f'{text[:at]}{", " if needs_comma else ""}"{KEY}": {_flow(provider)}{text[at:]}'
    block = f"{pad}{KEY}:{end}{_block(provider, pad, end, [], [])}"
    at = solid[-1].end_mark.index
    if getattr(solid[-1], "style", None) in ("|", ">") and text[at - 1] == "\n":
        return f"{text[:at]}{block}{end}{text[at:]}"
    at = _line_end(text, at)
    return f"{text[:at]}{end}{block}{text[at:] or end}"


def _block(provider: Provider, pad: str, end: str, above: list[str], below: list[str]) -> str:
    """Write the value as block lines, without the last line's end."""
    first, *rest = (
        f"{name}: {json.dumps(text, ensure_ascii=False)}"
        for name, text in provider.parameters.items()
    )
    lines = [
        *above,
        f"{pad}  - class_name: {provider.class_name}{end}",
        f"{pad}    parameters:{end}",
        *below,
        f"{pad}      - {first}{end}",
        *(f"{pad}        {line}{end}" for line in rest),
    ]
    return "".join(lines).removesuffix(end)


def _flow(provider: Provider) -> str:
    value = [{"class_name": provider.class_name, "parameters": [dict(provider.parameters)]}]
    return json.dumps(value, ensure_ascii=False)


def _comments(
    document: Document, start: int, stop: int, pad: str, end: str
) -> tuple[list[str], list[str]]:
    """Return the comment lines between two places, above and below the class name.

    Between two tokens there is nothing but blanks and comments.  Lines of their own stay as
    they are; a comment behind a value becomes a line of its own.
    """
    above: list[str] = []
    below: list[str] = []
    named, at = document.class_name_end, start
    for token in (*document.value, None):
        begin = stop if token is None else token.start_mark.index
        behind, *lines = BREAK.split(document.text[at : max(at, begin)])
        if "#" in behind:
            early = named is None or at <= named
            indent = f"{pad}  " if early else f"{pad}      "
            (above if early else below).append(f"{indent}{behind.strip()}{end}")
        group = above if named is None or at < named else below
        group += [line + ended for line, ended in zip(lines[1:-1:2], lines[2::2], strict=True)]
        at = max(at, begin if token is None else token.end_mark.index)
    return above, below


def _line_break(text: str) -> str:
    found = BREAK.search(text)
    return "\r\n" if found and found[0] == "\r\n" else "\n"


def _line_end(text: str, at: int) -> int:
    found = BREAK.search(text, at)
    return found.start() if found else len(text)
