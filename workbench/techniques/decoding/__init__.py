"""Decoding: the choice of the next token from the model's probabilities.

``sampling`` chooses the tokens of one answer with ``logits_filters`` and ``repetition`` (penalties); ``beam`` and
``contrastive`` follow several sequences in parallel, each with its own ``token_rules``. ``constraints`` makes answers
valid by construction; ``formats`` checks descriptions of formats without a model. All of it runs where the engine runs,
except ``formats``, which is light.

Papers, by step:

- temperature: Ackley, Hinton and Sejnowski 1985, A learning algorithm for Boltzmann machines
- top-k: Fan, Lewis and Dauphin 2018, Hierarchical Neural Story Generation, arXiv:1805.04833
- top-p: Holtzman et al. 2019, The Curious Case of Neural Text Degeneration, arXiv:1904.09751
- min-p: Nguyen et al. 2024, Turning Up the Heat: Min-p Sampling, arXiv:2407.01082
- typical: Meister et al. 2022, Locally Typical Sampling, arXiv:2202.00666
- dynamic temperature: Zhu et al. 2023, Hot or Cold? Adaptive Temperature Sampling for Code Generation,
  arXiv:2309.02772; by entropy, as llama.cpp does it
- XTC: p-e-w 2024, text-generation-webui pull request 6335
- mirostat: Basu et al. 2020, Mirostat: A Neural Text Decoding Algorithm that Directly Controls Perplexity,
  arXiv:2007.14966
- repetition penalty: Keskar et al. 2019, CTRL, arXiv:1909.05858
- DRY: p-e-w 2024, text-generation-webui pull request 5677
- no repeated phrase: Paulus, Xiong and Socher 2017, A Deep Reinforced Model for Abstractive Summarization,
  arXiv:1705.04304
- constraints: Willard and Louf 2023, Efficient Guided Generation for Large Language Models, arXiv:2307.09702; Geng et
  al. 2023, Grammar-Constrained Decoding, arXiv:2305.13971; computed by llguidance
"""
