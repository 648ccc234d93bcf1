from prometheus_client import generate_latest

from forgesyte_chassis.metrics import closed, new_registry


def test_a_registry_tells_service_and_process():
    text = generate_latest(new_registry("chassis")).decode()

    assert 'forgesyte_build_info{service="chassis"' in text
    assert "process_resident_memory_bytes" in text


def test_two_services_fit_into_one_process():
    first, second = new_registry("job-api"), new_registry("runner")

    assert b'service="job-api"' in generate_latest(first)
    assert b'service="job-api"' not in generate_latest(second)


def test_a_label_outside_the_known_set_becomes_other():
    assert closed("motion-detector", {"motion-detector"}) == "motion-detector"
    assert closed("x" * 1000, {"motion-detector"}) == "other"
    assert closed(None, {"motion-detector"}) == "other"
