"""Which variants a user meets: tables made once for a configuration, a look for each request."""

from __future__ import annotations

from dataclasses import dataclass

from meshext_filters.ab_routing.config import Config, Experiment
from meshext_filters.ab_routing.shares import to_tenths
from meshext_filters.ab_routing.split import NOBODY, deal, slot_of


@dataclass(frozen=True)
class Choice:
    """What a request gets of one experiment.

    `variant` is the header's value, "" for no header. `how` says why: `split`, `sticky` or `tester`; "" where
    the user takes no part, which is not counted.
    """

    experiment: str
    header: str
    variant: str
    how: str


@dataclass(frozen=True)
class Layer:
    """Experiments of which a user meets one at most; whose each slot of the layer is, "" for nobody's."""

    salt: str
    experiments: list[Experiment]
    table: list[str]


class Assignment:
    """The experiments of a configuration, ready to choose from."""

    def __init__(self, config: Config) -> None:
        self.anonymous = config.anonymous
        self.layers: list[Layer] = build_layers(config)
        self.tables: dict[str, list[str]] = {each.name: build_table(each) for each in config.experiments}
        self.experiments: dict[str, Experiment] = {each.name: each for each in config.experiments}

    def known(self, choices: dict[str, str]) -> dict[str, str]:
        """The choices that there are; variants with weight 0 count, as they are what testers try first."""
        return {
            name: variant
            for name, variant in choices.items()
            if name in self.experiments and variant in self.experiments[name].variants
        }

    def choose(self, user: str, forced: dict[str, str], kept: dict[str, str]) -> list[Choice]:
        """What a user meets of each experiment; `forced` is a tester's will, `kept` what the cookie has."""
        choices: list[Choice] = []
        for layer in self.layers:
            taken = self.choose_in(layer, user, forced, kept)
            for experiment in layer.experiments:
                if taken is not None and taken.experiment == experiment.name:
                    choices.append(taken)
                else:
                    choices.append(self.leave_out(experiment, user))
        return choices

    def choose_in(
        self, layer: Layer, user: str, forced: dict[str, str], kept: dict[str, str]
    ) -> Choice | None:
        """The one experiment of a layer that a user meets; None for none of them."""
        for experiment in layer.experiments:
            if experiment.name in forced:
                return to_choice(experiment, forced[experiment.name], "tester")
        if not user:
            return None
        for experiment in layer.experiments:
            variant = kept.get(experiment.name, "")
            if experiment.sticky and experiment.variants.get(variant, 0.0) > 0:
                return to_choice(experiment, variant, "sticky")
        name = layer.table[slot_of(layer.salt, user)]
        if name == NOBODY:
            return None
        experiment = self.experiments[name]
        return to_choice(experiment, self.tables[name][slot_of(salt_of(experiment), user)], "split")

    def leave_out(self, experiment: Experiment, user: str) -> Choice:
        """What is set for who takes no part."""
        if not user and self.anonymous == "control":
            return to_choice(experiment, control_of(experiment), "")
        return to_choice(experiment, experiment.outside, "")

    def sticky_of(self, choices: list[Choice], kept: dict[str, str]) -> dict[str, str]:
        """What the cookie has to say after these choices; a tester's will is not kept."""
        result: dict[str, str] = {}
        for choice in choices:
            if not self.experiments[choice.experiment].sticky:
                continue
            if choice.how in ("split", "sticky"):
                result[choice.experiment] = choice.variant
            elif choice.how == "tester" and choice.experiment in kept:
                result[choice.experiment] = kept[choice.experiment]
        return result


def build_layers(config: Config) -> list[Layer]:
    """The layers in the order of their first experiments; an experiment without one is alone in its own."""
    groups: dict[str, list[Experiment]] = {}
    for experiment in config.experiments:
        groups.setdefault(layer_salt(experiment), []).append(experiment)
    layers: list[Layer] = []
    for salt, experiments in groups.items():
        steps = [to_tenths({each.name: each.share for each in experiments})]
        if experiments[0].layer in config.layers:
            before = config.layers[experiments[0].layer].before
            steps = [*[to_tenths(step) for step in before], *steps]
        layers.append(Layer(salt, experiments, deal(salt, steps, rest=NOBODY)))
    return layers


def layer_salt(experiment: Experiment) -> str:
    """What tells the slots of a layer from those of others."""
    if experiment.layer:
        return f"layer\0{experiment.layer}"
    return f"alone\0{experiment.name}\0{experiment.salt}"


def build_table(experiment: Experiment) -> list[str]:
    """Whose each slot of an experiment is."""
    steps = [*[to_tenths(step) for step in experiment.before], to_tenths(experiment.variants)]
    return deal(salt_of(experiment), steps, rest=control_of(experiment))


def salt_of(experiment: Experiment) -> str:
    """What tells the experiment's slots from those of others."""
    return f"experiment\0{experiment.name}\0{experiment.salt}"


def control_of(experiment: Experiment) -> str:
    """The variant that is named first."""
    return next(iter(experiment.variants))


def to_choice(experiment: Experiment, variant: str, how: str) -> Choice:
    """A choice in words."""
    return Choice(experiment.name, experiment.routing_header, variant, how)
