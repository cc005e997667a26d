"""The words of the engines in the settings."""

from __future__ import annotations

from workbench.base.catalogue import _

ENGINE = _("Engine")
ENGINE_HELP = _(
    "The engine computes models: it is llama.cpp with its Python package, llama-cpp-python. A newer one can be "
    "installed beside the bundled one, for models that are newer than this program. It is used only when it passes a "
    "test in processes of its own. An engine is a program that runs with your permissions, so take it from a source "
    "that you trust."
)
BUNDLED = _("Bundled engine")
BUNDLED_FACTS = _("{version}, which this program came with")
ADD, FIND = _("Add from a file…"), _("Look for newer engines…")
ADD_HELP = _("Install a wheel, a source package or a pack of llama-cpp-python, and test it")
FIND_HELP = _("Asks the package index which versions of llama-cpp-python there are")
FILES = _("Engines (*.whl *.tar.gz *.pack);;All files (*)")
USE, USE_HELP = _("Use"), _("Models are computed by it from their next loading on.")
TEST, TEST_HELP = _("Test again"), _("Compare it with the bundled engine, in processes of its own")
REMOVE = _("Remove…")
REMOVE_QUESTION = _("Remove the engine {name}? Its file is needed to install it again.")
REMOVE_NOW = _("Remove")
BUSY = _("An engine is being installed or tested. Wait for its end, or stop it.")
IN_USE, PASSED, FAILED = _("In use"), _("Passed its test"), _("Did not pass")
GIVEN_UP = _("Given up")
NOT_TESTED, OUTDATED = _("Not tested"), _("Test is outdated")
FACTS = "{version} · {bytes} · {source}"
SIGNED = _("signed pack")
IMAGES = _("It reads images.")
IMAGES_UNTRIED = _("It was not tried whether this engine reads images. Test it again.")
BUNDLED_IMAGES = _("It has llama.cpp's library for images.")
BUNDLED_NO_IMAGES = _("It has no library for images (mtmd): questions with images are refused.")
RESULT = _("{build}: {speed:.1f} tokens per second on the processor; the bundled engine computes {bundled:.1f}.")
OUTDATED_HELP = _(
    "It was tested with another version of this program, or on another processor. It is tested again before it is used."
)
ADDING = "{title}: {stage}"
TESTING = "{name}: {stage}"
READING = _("Reading")
STOPPING = _("Stopping…")
ADDED = _("The engine {name} passed its test. Models are computed by it from their next loading on.")
NOT_USED = _("The engine {name} is installed and not used: {problem}")
TESTED = _("The engine {name} passed its test.")
STOPPED = _("It was stopped. Nothing has changed.")
REMOVED = _("The engine {name} was removed.")
BUNDLED_CHOSEN = _("Models are computed by the bundled engine from their next loading on.")
NETWORK_OFF = _("The network is off for packages: nothing is asked before you allow it.")
ASKING = _("Asking the package index…")
NOTHING = _("The package index has no engine for this system.")
NOTHING_NEWER = _("The package index has no newer engine than {version}.")
OFFER_WHEEL = _("ready-made · {bytes}")
OFFER_SOURCE = _("source to be compiled, for 5 to 20 minutes · {bytes}")
INSTALL, INSTALL_OFFER = _("Install"), _("Install version {version}")
