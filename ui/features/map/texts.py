"""The words of the map."""

from __future__ import annotations

from workbench.base.catalogue import _

MAP = _("Map of the techniques")
SECTIONS = _("Sections of the map")
PIPELINE, SIMILARITY = _("How an answer is made"), _("Embeddings and similarity")

# the pipeline
TITLE = _("How an answer is made")
HELP = _(
    "Six parts make an answer. Changing the prompt or the decoding costs nothing to prepare, documents and an agent "
    "cost little, and adapters cost a training. Press a part to open its settings."
)
TITLE_OF_ANSWER = _("How this answer was made")
HELP_OF_ANSWER = _("“{question}” was answered like this. Press a part to open its settings.")
BACK = _("Back to the answer")
PICTURE = _("The pipeline of an answer")
QUESTION, ANSWER = _("Question"), _("Answer")
NOT_USED = _("Not used")
OPENS = _("{stage}: {phrase}. Opens its settings.")
SECONDS, TOKENS = _("{seconds:.1f} s"), _("{tokens:,} tokens")
ANSWER_GONE = _("This answer is not there any more.")
TERMS = _("Terms")
STAGES = {
    "documents": (
        _("Documents"),
        _(
            "Passages that fit the question are found in your documents and shown to the model. Nothing is trained, "
            "and each statement can name its place."
        ),
        _("Finds passages to answer from"),
    ),
    "prompt": (
        _("Prompt"),
        _("The question is put together with instructions, examples and passages, and asked once or in several steps."),
        _("Puts the question to the model"),
    ),
    "model": (
        _("Model"),
        _("The model reads the prompt and gives each possible next token a probability."),
        _("Gives next tokens their probabilities"),
    ),
    "decoding": (
        _("Decoding"),
        _("One token after the other is chosen from these probabilities: the most probable one, or by chance."),
        _("Chooses one token after the other"),
    ),
    "agent": (
        _("Agent"),
        _(
            "Where an agent is on, the model chooses tools, reads their results, and is asked again until it can "
            "answer."
        ),
        _("Lets the model use tools until it can answer"),
    ),
    "adapters": (
        _("Adapters"),
        _("Trained weights change how the model answers: by examples (fine-tuning), or by preferences and rewards."),
        _("Trained weights"),
    ),
}
MEASURING, MEASURING_HELP = (
    _("Measuring"),
    _("Whether a change of one of these parts has helped is measured on questions that it has not seen."),
)
LOOP = _("calls a tool, and is asked again with its result")

# what each stage did
DECLINED = _("no answer was given, since the documents lack it")
OUTCOMES = {
    "found": _("the answer was found"),
    "perhaps": _("the answer is in doubt"),
    "not_found": _("nothing was found"),
}
SHOWN = _("the model saw {passages} of {documents}")
TAKEN = _("taken from {passages} of {documents}")
COSINE, COSINES = (
    _("its cosine with the question is {high:.2f}"),
    _("cosines with the question from {low:.2f} to {high:.2f}"),
)
NOT_ASKED = _("Not used")
QUOTED_WITHOUT = _("The answer is quoted from the documents, so the model was not asked")
DECLINED_WITHOUT = _("No model was asked, since the documents lack the answer")
FOUND_BY = _("found by {ways}")
WAYS = {"words": _("words"), "meaning": _("meaning"), "both": _("words and meaning")}
ROAD = _("route: {road}")
READ = _("{tokens:,} tokens were read")
CACHED = _("{tokens:,} of them were known from before")
INSTRUCTIONS, EXAMPLES = _("with your instructions"), _("with examples of {name}")
TECHNIQUE = _("technique: {title}")
CONTEXT = _("a context of {tokens:,} tokens")
SPEED = _("{speed} tokens per second")
TEMPERATURE = _("temperature {temperature:g}")
CONSTRAINED = _("within a given form")
WRITTEN = _("{tokens:,} tokens were written")
DRAFTED = _("{accepted:,} of {drafted:,} guesses were right")
CALLS = _("{calls} of tools: {names}")
NO_CALLS = _("no tool was called")
ADAPTER = _("{name} at {scale:.0%}")
BASE = _("The base model answered as it is")
STEPS = _("Steps: {steps}")
STEP = _("{title} {seconds:.1f} s")
SEE_SIMILARITY = _("See passages and question as a picture")
IN_ALL = _("In all {seconds:.1f} s and {tokens:,} tokens")

# similarity
SIMILARITY_HELP = _(
    "Each point is a passage. An embedding model has turned its text into a list of {dimensions:,} numbers, so that "
    "texts of like meaning have like numbers. The plane shows the two directions in which they differ most, which are "
    "{shown:.0%} of the differences; the search computes with all of them."
)
SIMILARITY_INTRO = _(
    "Ask a question and see where it lies among the passages of your documents, which passages are nearest to it, and "
    "how words and meaning score them."
)
COLLECTION, ASK, ASK_HERE, SHOW = _("Documents"), _("Question"), _("A question about these documents"), _("Show")
NO_COLLECTION = _("There are no documents yet. Add some on the page Documents.")
COMPUTING = _("The passages are being compared…")
NO_POINTS = _("No passage of these documents can be compared with this question.")
SCATTER = _("Passages and question")
POINT = _("{title}{page}, cosine {similarity:.2f}")
PAGE = _(", page {page}")
YOUR_QUESTION = _("Your question")
POINTS_SHOWN = _("{points} of {passages} are drawn. Lines join the question with the best passages.")
BARS = _("How the best passages are scored")
BARS_HELP = _(
    "A score adds words and meaning. Meaning has the weight {weight:.0%} here, because of how well the embedding model "
    "knows the language."
)
WORDS, MEANING = _("Words (BM25)"), _("Meaning (cosine)")
BAR = _("{rank}. {title}: words {words:.2f}, meaning {meaning:.2f}, together {score:.2f}")
MOVED_UP, MOVED_DOWN = _("A second look moved it from place {before} to {rank}."), _("It was at place {before} before.")
BY_VERSION = _("The version of its document decided its place.")
RERANKED = _("The second look moves the question towards the best hits and searches once more (relevance feedback).")
