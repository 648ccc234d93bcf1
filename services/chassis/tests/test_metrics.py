from prometheus_client import Counter, Histogram, generate_latest

from forgesyte_chassis.metrics import closed, new_registry


def test_a_registry_tells_service_and_process():
    text = generate_latest(new_registry("chassis")).decode()

    assert 'forgesyte_build_info{service="chassis"' in text
    assert "process_resident_memory_bytes" in text


def test_a_counter_is_shown_by_its_own_name_alone():
    """The library adds a `_created` beside each: a third more series that no dashboard asks for."""
    registry = new_registry("chassis")
    Counter("forgesyte_things_total", "Things", registry=registry).inc()
    Histogram("forgesyte_thing_seconds", "Seconds", registry=registry).observe(1)

    assert "_created" not in generate_latest(registry).decode()


def test_two_services_fit_into_one_process():
    first, second = new_registry("job-api"), new_registry("runner")

    assert b'service="job-api"' in generate_latest(first)
    assert b'service="job-api"' not in generate_latest(second)


def test_a_label_outside_the_known_set_becomes_other():
    assert closed("motion-detector", {"motion-detector"}) == "motion-detector"
    assert closed("x" * 1000, {"motion-detector"}) == "other"
    assert closed(None, {"motion-detector"}) == "other"
