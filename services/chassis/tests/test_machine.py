from forgesyte_chassis.machine import boot_id, circumstances_here, oom_kills


def test_this_machine_witnesses_what_it_saw_itself():
    now = circumstances_here(alone=True)

    assert now.boot_id == boot_id()
    assert isinstance(now.oom_kills, int)
    assert (now.alone, now.has_control) == (True, False)


def test_a_kernel_that_tells_nothing_is_no_witness(tmp_path):
    vmstat = tmp_path / "vmstat"
    vmstat.write_text("nr_free_pages 5\noom_kill many\n")

    assert (boot_id(tmp_path / "none"), oom_kills(tmp_path / "none"), oom_kills(vmstat)) == (None, None, None)


def test_processes_killed_for_want_of_memory_are_counted(tmp_path):
    vmstat = tmp_path / "vmstat"
    vmstat.write_text("nr_free_pages 5\noom_kill 7\noom_kill_other 9\n")

    assert oom_kills(vmstat) == 7
