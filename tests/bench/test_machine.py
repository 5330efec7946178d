"""What is told of the machine."""

from pathlib import Path

from service.bench.machine import describe_machine, notes_on


def test_processor_and_what_it_can_do(tmp_path: Path) -> None:
    """Name and features come from the system's own list; unknown features are left out."""
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text(
        "processor\t: 0\nmodel name\t: Quick One\nflags\t\t: fpu avx2 avx512_bf16 xyz\n"
    )
    machine = describe_machine(tmp_path)
    assert machine.processor == "Quick One"
    assert machine.features == ("avx2", "avx512_bf16")
    assert 1 <= machine.usable_cores <= machine.cores
    assert machine.memory_gib > 0
    assert set(machine.packages) >= {"torch", "transformers", "onnxruntime"}


def test_a_machine_that_does_not_tell(tmp_path: Path) -> None:
    """Without the list the processor still has a name."""
    assert describe_machine(tmp_path).processor


def test_a_busy_machine_is_noted() -> None:
    """Figures of a machine that somebody else uses too say so."""
    machine = describe_machine()
    assert notes_on(machine.model_copy(update={"load_before": 0.1})) == []
    (note,) = notes_on(machine.model_copy(update={"load_before": 3.2}))
    assert "busy" in note
    assert "3.2" in note
