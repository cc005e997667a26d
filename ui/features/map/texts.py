"""The words of the map."""

from __future__ import annotations

MAP = "Map of the techniques"
SECTIONS = "Sections of the map"
PIPELINE, SIMILARITY = "How an answer is made", "Embeddings and similarity"

# the pipeline
TITLE = "How an answer is made"
HELP = (
    "Six parts make an answer. Changing the prompt or the decoding costs nothing to prepare, documents and an agent "
    "cost little, and adapters cost a training. Press a part to open its settings."
)
TITLE_OF_ANSWER = "How this answer was made"
HELP_OF_ANSWER = "“{question}” was answered like this. Press a part to open its settings."
BACK = "Back to the answer"
PICTURE = "The pipeline of an answer"
QUESTION, ANSWER = "Question", "Answer"
NOT_USED = "Not used"
OPENS = "{stage}: {phrase}. Opens its settings."
SECONDS, TOKENS = "{seconds:.1f} s", "{tokens:,} tokens"
ANSWER_GONE = "This answer is not there any more."
TERMS = "Terms"
STAGES = {
    "documents": (
        "Documents",
        "Passages that fit the question are found in your documents and shown to the model. Nothing is trained, and "
        "each statement can name its place.",
        "Finds passages to answer from",
    ),
    "prompt": (
        "Prompt",
        "The question is put together with instructions, examples and passages, and asked once or in several steps.",
        "Puts the question to the model",
    ),
    "model": (
        "Model",
        "The model reads the prompt and gives each possible next token a probability.",
        "Gives next tokens their probabilities",
    ),
    "decoding": (
        "Decoding",
        "One token after the other is chosen from these probabilities: the most probable one, or by chance.",
        "Chooses one token after the other",
    ),
    "agent": (
        "Agent",
        "Where an agent is on, the model chooses tools, reads their results, and is asked again until it can answer.",
        "Lets the model use tools until it can answer",
    ),
    "adapters": (
        "Adapters",
        "Trained weights change how the model answers: by examples (fine-tuning), or by preferences and rewards.",
        "Trained weights for the model",
    ),
}
MEASURING, MEASURING_HELP = (
    "Measuring",
    "Whether a change of one of these parts has helped is measured on questions that it has not seen.",
)
LOOP = "calls a tool, and is asked again with its result"

# what each stage did
DECLINED = "no answer was given, since the documents lack it"
OUTCOMES = {"found": "the answer was found", "perhaps": "the answer is in doubt", "not_found": "nothing was found"}
SHOWN = "the model saw {passages} of {documents}"
TAKEN = "taken from {passages} of {documents}"
COSINE, COSINES = "its cosine with the question is {high:.2f}", "cosines with the question from {low:.2f} to {high:.2f}"
NOT_ASKED = "Not used"
QUOTED_WITHOUT = "The answer is quoted from the documents, so the model was not asked"
DECLINED_WITHOUT = "No model was asked, since the documents lack the answer"
FOUND_BY = "found by {ways}"
WAYS = {"words": "words", "meaning": "meaning", "both": "words and meaning"}
ROAD = "road: {road}"
READ = "{tokens:,} tokens were read"
CACHED = "{tokens:,} of them were known from before"
INSTRUCTIONS, EXAMPLES = "with your instructions", "with examples of {name}"
TECHNIQUE = "technique: {title}"
CONTEXT = "a context of {tokens:,} tokens"
SPEED = "{speed:.0f} tokens a second"
STRATEGY = "{title}"
TEMPERATURE = "temperature {temperature:g}"
CONSTRAINED = "within a given form"
WRITTEN = "{tokens:,} tokens were written"
DRAFTED = "{accepted:,} of {drafted:,} guesses were right"
CALLS = "{calls} of tools: {names}"
NO_CALLS = "no tool was called"
ADAPTER = "{name} at {scale:.0%}"
BASE = "The base model answered as it is"
STEPS = "Steps: {steps}"
STEP = "{title} {seconds:.1f} s"
SEE_SIMILARITY = "See passages and question as a picture"
IN_ALL = "In all {seconds:.1f} s and {tokens:,} tokens"

# similarity
SIMILARITY_HELP = (
    "Each point is a passage. An embedding model has turned its text into a list of {dimensions:,} numbers, so that "
    "texts of like meaning have like numbers. The plane shows the two directions in which they differ most, which are "
    "{shown:.0%} of the differences; the search computes with all of them."
)
SIMILARITY_INTRO = (
    "Ask a question and see where it lies among the passages of your documents, which passages are nearest to it, and "
    "how words and meaning score them."
)
COLLECTION, ASK, ASK_HERE, SHOW = "Documents", "Question", "A question about these documents", "Show"
NO_COLLECTION = "There are no documents yet. Add some on the page Documents."
COMPUTING = "The passages are being compared…"
NO_POINTS = "No passage of these documents can be compared with this question."
SCATTER = "Passages and question"
POINT = "{title}{page}, cosine {similarity:.2f}"
PAGE = ", page {page}"
YOUR_QUESTION = "Your question"
POINTS_SHOWN = "{points} of {passages} are drawn. Lines join the question with the best passages."
BARS = "How the best passages are scored"
BARS_HELP = (
    "A score adds words and meaning. Meaning has the weight {weight:.0%} here, because of how well the embedding model "
    "knows the language."
)
WORDS, MEANING = "Words (BM25)", "Meaning (cosine)"
BAR = "{rank}. {title}: words {words:.2f}, meaning {meaning:.2f}, together {score:.2f}"
MOVED_UP, MOVED_DOWN = "A second look moved it from place {before} to {rank}.", "It was at place {before} before."
BY_VERSION = "The version of its document decided its place."
RERANKED = "The second look moves the question towards the best hits and searches once more (relevance feedback)."
