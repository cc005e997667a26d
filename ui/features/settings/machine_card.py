"""This machine: what it has, what models compute on and why, runtime packs, new versions, and a report."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from ui.bridge import Bridge
from ui.components.basics import Card, Line, Text
from ui.components.wording import describe_bytes, in_words
from ui.features.settings import texts
from ui.features.settings.facts import Facts
from ui.features.settings.packs_part import PacksPart
from ui.features.settings.report_part import ReportPart
from ui.features.settings.update_part import UpdatePart
from ui.theme import tokens
from workbench.records.diagnosis import ENGINE, LIBRARY, NO_PACK, VARIANT, Diagnosis
from workbench.records.models import Device, Machine
from workbench.subjects.machine.calls import Diagnose, GetMachine, GetRuntime, RuntimeState


class MachineCard(Card):
    """Call ``refresh`` when it comes into sight: what is free, and what computes, change by themselves."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(margin=tokens.SPACE_5)
        self._bridge = bridge
        self._asking = False
        self._choice = ""
        self.reason = Text(texts.READING, "body")
        self.problems = Text("", "attention", visible=False)
        self.facts = Facts(
            texts.PROCESSOR, texts.VARIANT, texts.MEMORY, texts.GRAPHICS, texts.FREE_DISK, texts.ENGINE,
            unknown=texts.READING, wrapped=(texts.PROCESSOR, texts.VARIANT, texts.GRAPHICS),
        )  # fmt: skip
        self.packs, self.updates, self.report = PacksPart(bridge), UpdatePart(bridge), ReportPart(bridge)
        self.body.setSpacing(tokens.SPACE_3)
        parts = (
            Text(texts.MACHINE, "heading"), Text(texts.MACHINE_HELP, "muted"), self.reason, self.facts, self.problems,
            Line(), self.packs, Line(), self.updates, Line(), self.report,
        )  # fmt: skip
        for part in parts:
            self.body.addWidget(part)
        bridge.home.listing(GetMachine()).follow(self._on_machine)
        bridge.home.listing(GetRuntime()).follow(self._on_runtime)

    def part(self, field: str) -> QWidget:
        """The button of a part: pack, update or report; "" for the first. Raises KeyError."""
        buttons = {"pack": self.packs.install_button, "update": self.updates.check_button}
        return {**buttons, "": self.packs.install_button, "report": self.report.save_button}[field]

    def refresh(self) -> None:
        self._bridge.home.listing(GetMachine()).refresh()
        self._bridge.home.listing(GetRuntime()).refresh()
        self._diagnose()

    def _diagnose(self) -> None:
        if not self._asking:
            self._asking = True
            self._bridge.call(Diagnose(), self._on_diagnosis, self._on_failed, self)

    def _on_diagnosis(self, found: Diagnosis) -> None:
        self._asking = False
        self.facts.set_value(texts.VARIANT, found.fact(ENGINE, VARIANT) or texts.UNKNOWN)
        self.facts.set_value(texts.ENGINE, found.fact(ENGINE, LIBRARY) or texts.UNKNOWN)
        self._show_problems("\n".join(one for one in found.problems if not one.startswith(NO_PACK)))
        self.report.show_content(found)

    def _on_failed(self, error: Exception) -> None:
        self._asking = False
        for name in (texts.VARIANT, texts.ENGINE):
            self.facts.set_value(name, texts.UNKNOWN)
        self._show_problems(texts.CANNOT_DIAGNOSE.format(problem=in_words(error)))

    def _show_problems(self, problems: str) -> None:
        self.problems.setText(problems)
        self.problems.setVisible(bool(problems))

    def _on_runtime(self, state: RuntimeState) -> None:
        self.reason.setText(state.choice.reason)
        if self._choice and self._choice != state.choice.reason and self.isVisible():
            self.refresh()  # another library sees other devices
        self._choice = state.choice.reason

    def _on_machine(self, machine: Machine) -> None:
        graphics = [_described(device) for device in machine.devices if device.kind != "cpu"]
        free = texts.FREE_MEMORY.format(
            bytes=describe_bytes(machine.memory_bytes), bytes2=describe_bytes(machine.memory_free_bytes)
        )
        cores = texts.CORES.format(processor=machine.processor, cores=machine.cores)
        self.facts.set_value(texts.PROCESSOR, cores)
        self.facts.set_value(texts.MEMORY, free)
        self.facts.set_value(texts.GRAPHICS, "; ".join(graphics) or texts.NO_GRAPHICS)
        self.facts.set_value(texts.FREE_DISK, describe_bytes(machine.disk_free_bytes))


def _described(device: Device) -> str:
    name = device.description or device.name
    if not device.memory_bytes:
        return name
    return texts.GPU_MEMORY.format(name=name, bytes=describe_bytes(device.memory_bytes))
