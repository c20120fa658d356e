"""What Prometheus may scrape: names that last, and samples only where there is a value."""

import re

from prometheus_client.parser import text_string_to_metric_families

from seedprovider.metrics import Metrics


def samples(metrics: Metrics) -> dict[str, float]:
    text = metrics.exposition().decode()
    return {
        sample.name: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


def test_counters_are_there_from_the_start_and_those_with_labels_once_used() -> None:
    metrics = Metrics()
    assert samples(metrics) == {
        "seedprovider_heartbeats_total": 0.0,
        "seedprovider_reloads_total": 0.0,
        "seedprovider_events_lost_total": 0.0,
    }
    metrics.answers.labels("seeds", "found").inc()
    metrics.steps.labels("WriteRecord", "written").inc()
    metrics.kube_failures.labels("endpointslices").inc()

    assert samples(metrics).keys() >= {
        "seedprovider_answers_total",
        "seedprovider_steps_total",
        "seedprovider_kube_failures_total",
    }


def test_every_name_is_ours_and_has_a_help_text() -> None:
    text = Metrics().exposition().decode()
    helps = re.findall(r"^# HELP (\S+) (.+)$", text, re.MULTILINE)

    assert helps
    assert all(name.startswith("seedprovider_") and words for name, words in helps)


def test_gauges_are_read_at_each_scrape_and_left_out_where_there_is_nothing_to_say() -> None:
    metrics, age = Metrics(), [1.0, None, 3.0]
    metrics.add_gauges(lambda: {"seedprovider_age_seconds": ("Age", age.pop(0))})

    seen = [samples(metrics).get("seedprovider_age_seconds") for _ in range(3)]
    assert seen == [1.0, None, 3.0]


def test_two_sidecars_in_one_process_do_not_share_their_counters() -> None:
    one, other = Metrics(), Metrics()
    one.heartbeats.inc()

    assert samples(other)["seedprovider_heartbeats_total"] == 0.0
