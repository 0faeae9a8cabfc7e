"""The `rules` of a policy: from plain data to the model, every mistake noted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from meshext.config import Plain
from meshext.config.places import Path
from meshext.policy.findings import Findings
from meshext.policy.keys import UnknownKey, parse_key
from meshext.policy.model import Field, Rule, Term, Terms
from meshext.policy.values import MOST_ACCOUNTS, check_value

MOST_RULES = 512
MOST_SOURCES = 512

SOURCE = (
    Field.PRINCIPALS,
    Field.REQUEST_PRINCIPALS,
    Field.NAMESPACES,
    Field.SERVICE_ACCOUNTS,
    Field.IP_BLOCKS,
    Field.REMOTE_IP_BLOCKS,
    Field.TRUST_DOMAINS,
)
OPERATION = (Field.HOSTS, Field.PORTS, Field.METHODS, Field.PATHS)
RULE_KEYS = ("from", "to", "when")
CONDITION_KEYS = ("key", "values", "notValues")

EXAMPLES = {
    Field.PRINCIPALS: "cluster.local/ns/default/sa/web",
    Field.REQUEST_PRINCIPALS: "https://issuer.example/ann",
    Field.NAMESPACES: "default",
    Field.SERVICE_ACCOUNTS: "default/web",
    Field.IP_BLOCKS: "10.0.0.0/8",
    Field.REMOTE_IP_BLOCKS: "10.0.0.0/8",
    Field.TRUST_DOMAINS: "cluster.local",
    Field.HOSTS: "shop.example",
    Field.PORTS: "8080",
    Field.METHODS: "GET",
    Field.PATHS: "/orders/*",
}
"""A value of each field of a source or an operation, for messages."""


def twin(name: str) -> str:
    """The negated field's name: `notPaths` for `paths`."""
    return f"not{name[0].upper()}{name[1:]}"


WRITTEN = {
    name: f'{name}: ["{example}"]' for field, example in EXAMPLES.items() for name in (field, twin(field))
}
"""How each field is written, for messages."""

Names = dict[str, tuple[Field, bool]]


def name_fields(fields: Sequence[Field]) -> Names:
    """Every name that may be written, with its field and whether it is the negated twin."""
    positive: Names = {field.value: (field, False) for field in fields}
    return positive | {twin(field.value): (field, True) for field in fields}


SOURCE_NAMES = name_fields(SOURCE)
OPERATION_NAMES = name_fields(OPERATION)
IDENTITIES = {Field.PRINCIPALS, Field.NAMESPACES}


def quoted_example(field: Field) -> str:
    """A value of a field in quotes."""
    return f'"{EXAMPLES.get(field, "text")}"'


class RulesReader:
    """Reads the rules at `path` of a document; `within` is how much of the path leads to the policy."""

    def __init__(self, findings: Findings, within: int) -> None:
        self._findings = findings
        self._within = within

    def read(self, value: Plain, path: Path) -> tuple[Rule, ...]:
        """The rules; what is wrong is noted and left out."""
        items = self._findings.items(
            value, path, self._within, 'rules: [{to: [{operation: {paths: ["/"]}}]}]'
        )
        if len(items) > MOST_RULES:
            self._refuse(
                path, f"{len(items)} rules; a policy has at most {MOST_RULES}, so write several policies"
            )
        return tuple([self._rule(item, (*path, number)) for number, item in enumerate(items)])

    def _refuse(self, path: Path, problem: str) -> None:
        self._findings.refuse(path, problem, within=self._within)

    def _rule(self, value: Plain, path: Path) -> Rule:
        example = "{} for a rule that matches every request"
        rule = self._findings.mapping(value, path, self._within, example)
        if rule is None:
            return Rule()
        self._findings.keys(rule, RULE_KEYS, path, self._within)
        sources = self._alternatives(rule, path, "from", "source", SOURCE_NAMES)
        operations = self._alternatives(rule, path, "to", "operation", OPERATION_NAMES)
        if len(sources) > MOST_SOURCES:
            self._refuse(
                (*path, "from"), f"{len(sources)} sources; a rule has at most {MOST_SOURCES}, so split it"
            )
        return Rule(sources, operations, self._conditions(rule.get("when"), (*path, "when")))

    def _alternatives(
        self, rule: Mapping[str, Plain], path: Path, name: str, inner: str, names: Names
    ) -> tuple[Terms, ...]:
        value = rule.get(name)
        below = (*path, name)
        field = next(iter(names))
        example = f"{name}: [{{{inner}: {{{field}: [...]}}}}]"
        items = self._findings.items(value, below, self._within, example)
        if value is not None and isinstance(value, list) and not value:
            self._refuse(below, f"is empty; leave it out, or write {example}")
        return tuple(
            [self._alternative(item, (*below, number), inner, names) for number, item in enumerate(items)]
        )

    def _alternative(self, value: Plain, path: Path, inner: str, names: Names) -> Terms:
        example = f"{inner}: {{{next(iter(names))}: [...]}}"
        item = self._findings.mapping(value, path, self._within, example)
        if item is None:
            return ()
        self._findings.keys(item, (inner,), path, self._within)
        if item.get(inner) is None:
            if not set(item) - {inner}:
                self._refuse(path, f"has no {inner}; write {example}")
            return ()
        below = (*path, inner)
        fields = self._findings.mapping(
            item.get(inner), below, self._within, f"{{{next(iter(names))}: [...]}}"
        )
        if fields is None:
            return ()
        self._findings.keys(fields, tuple(names), below, self._within)
        return self._terms(fields, below, inner, names)

    def _terms(self, fields: Mapping[str, Plain], path: Path, inner: str, names: Names) -> Terms:
        terms: list[Term] = []
        asked = False
        for name, given in fields.items():
            if name not in names:
                continue
            field, negated = names[name]
            items = self._findings.items(given, (*path, name), self._within, WRITTEN[name])
            asked = asked or given not in (None, [])
            values = self._values(field, items, (*path, name))
            if values:
                terms.append(Term(field, name, values, negated))
        if not asked and not set(fields) - set(names):
            self._refuse(path, f"is empty; name at least one of {', '.join(names)}, or leave the {inner} out")
        used = {term.field for term in terms}
        if Field.SERVICE_ACCOUNTS in used and used & IDENTITIES:
            self._refuse(path, "has serviceAccounts beside principals or namespaces; keep one kind")
        return tuple(terms)

    def _values(self, field: Field, items: Sequence[Plain], path: Path) -> tuple[str, ...]:
        values: list[str] = []
        for number, item in enumerate(items):
            below = (*path, number)
            if item is None:
                self._refuse(below, f"expected text, got null; write for example {quoted_example(field)}")
            elif isinstance(item, str):
                problem = check_value(field, item)
                if problem is None:
                    values.append(item)
                else:
                    self._refuse(below, problem)
            else:
                self._findings.text(item, below, self._within, quoted_example(field))
        if field is Field.SERVICE_ACCOUNTS and len(items) > MOST_ACCOUNTS:
            self._refuse(
                path, f"{len(items)} service accounts; there are at most {MOST_ACCOUNTS}, so split the rule"
            )
        return tuple(values)

    def _conditions(self, value: Plain, path: Path) -> Terms:
        example = 'when: [{key: "request.headers[x-role]", values: ["admin"]}]'
        items = self._findings.items(value, path, self._within, example)
        terms: list[Term] = []
        for number, item in enumerate(items):
            terms += self._condition(item, (*path, number))
        return tuple(terms)

    def _condition(self, value: Plain, path: Path) -> list[Term]:
        example = '{key: "request.headers[x-role]", values: ["admin"]}'
        condition = self._findings.mapping(value, path, self._within, example)
        if condition is None:
            return []
        self._findings.keys(condition, CONDITION_KEYS, path, self._within)
        key = self._findings.text(condition.get("key"), (*path, "key"), self._within, example)
        if not key:
            if condition.get("key") in (None, ""):
                self._refuse(path, f"has no key; write for example {example}")
            return []
        try:
            field, names = parse_key(key)
        except UnknownKey as unknown:
            self._refuse((*path, "key"), str(unknown))
            return []
        if not condition.get("values") and not condition.get("notValues"):
            self._refuse(path, f"has neither values nor notValues; write for example {example}")
        return self._both(condition, path, key, field, names)

    def _both(
        self, condition: Mapping[str, Plain], path: Path, key: str, field: Field, names: tuple[str, ...]
    ) -> list[Term]:
        terms: list[Term] = []
        for part, negated in (("values", False), ("notValues", True)):
            below = (*path, part)
            items = self._findings.items(condition.get(part), below, self._within, f'{part}: ["..."]')
            values = self._values(field, items, below)
            if values:
                terms.append(Term(field, key, values, negated, names))
        return terms
