"""Likely reasons for the worst errors, found by reading records and rows."""

from __future__ import annotations

from collections.abc import Mapping

# The sign before a name says for which error the reason was written.
_RESTARTS = "the hours hold restarts"
_SILENT = "asked without a layout: the fastest that fits, in usual software, while"
_NEOX = f"{_SILENT} GPT-NeoX of 2022 recomputed all activations and was slower"
_COUNT = "no count is on record: so many cards as finish in the usual time, which are more than were used"
RUN_REASONS = {
    "+llama-4-scout": "our model record takes full attention over 262,144 tokens in every layer; Llama 4 "
    "attends in chunks in most layers, and pre-training is unlikely to have used that length throughout",
    **{f"-pythia-{size}": _NEOX for size in ("160m", "410m", "1b", "1.4b", "2.8b", "6.9b", "12b")},
    "-pythia-70m": f"a model 512 wide: small kernels, the optimizer and the look-up; {_NEOX}",
    "-mpt-1.3b-redpajama-300b-token-equivalent": "a third party's figure, scaled from 'about half a day'; "
    "neither the sequence nor the shape is on record",
    "-mpt-7b": f"{_RESTARTS} on 440 cards; {_SILENT} it ran sharded over all of them, recomputing",
    "-bloom-176b": f"{_RESTARTS}; {_SILENT} it recomputed all activations on 48 nodes of Omni-Path",
    **{f"-llama-{name}": f"{_SILENT} theirs is not told" for name in ("7b", "13b", "33b")},
    **{
        f"-llama-2-{name}": f"{_RESTARTS}; {_SILENT} theirs is not told"
        for name in ("7b", "13b", "34b", "70b")
    },
    "-llama-3.1-70b": f"'15T+' tokens and a long-context stage; {_RESTARTS}",
    "-llama-3-70b": f"'15T+' tokens; {_RESTARTS}",
    "+llama-3.1-70b": _COUNT,
    "+llama-3-70b": _COUNT,
    "-llama-3.1-405b": f"a long-context stage; {_RESTARTS}",
    "-palm-540b": "no measured row of TPU v4: borrowed from TPU v6e; the hours hold downtime, repeated steps "
    "and two weeks on half the machine",
    **{
        f"+gpt-2-{size}-repro-llm-c": "hand-written kernels on one node; the rows fitted are of sharded "
        "training in PyTorch"
        for size in ("124m", "350m", "774m", "1558m")
    },
}
_EARLY = "{} experts in an early release ({}); a later one reaches {} the speed"
_DEEPSEEK = _EARLY.format("256 narrow", "NeMo 25.05, GB200", "over three times")
_OSS = (
    "release, dispatch and size of the exchange group move this recipe between 8,000 and 13,700 tokens/s on the same "
    "cards; no cell tells of the kernels"
)
_WINDOW = "every other layer attends in a window of 128 tokens, experts as wide as the model; one recipe of one maker"
_HIDDEN = "how much of their exchange the dispatch kernel hides is not told"
_SPREAD = f"experts over 64 cards of one NVLink domain: {_HIDDEN}"
_SMALL = "half a billion parameters: launches and host time, which differ by stack and are not told"
_DROPPED = "tokens beyond an expert's capacity are dropped: less work than the row's dimensions tell"
_GROK = "eight experts 32,768 wide, the widest on record: beyond what the other rows teach"
ROW_REASONS = {
    "+b12b017dc0": _OSS,
    "+75dc5e5e60": _OSS,
    "-75dc5e5e60": _OSS,
    "-5e0649638e": _OSS,
    "+9b376fb312": _EARLY.format("128", "NeMo 26.02", "more than twice") + " in mxfp8",
    "+da7f254882": f"{_WINDOW}; {_SPREAD}",
    "+fe636e0337": f"{_WINDOW}; {_SPREAD}",
    "+83cba9679f": _WINDOW,
    "+e807566b37": _WINDOW,
    "+6e9434fbe6": _DEEPSEEK,
    "+fc18049788": _DEEPSEEK,
    "+4a90f51343": _DEEPSEEK,
    "+9f49ae8c27": "256 narrow experts in an early release (NeMo 25.05, bf16); a later one in fp8 reaches twice the speed",
    "+f31c69ff78": "one sequence at a time, experts 768 wide: few tokens each; four at a time run 2.8 times as fast (4b2d511c25)",
    "+48dd54e92e": "experts only 768 wide; two releases of the recipe differ by a factor of 1.8",
    "+5925383a99": "one sequence at a time on an early release; two at a time on the next run twice as fast (d732c181bb)",
    "-6e3d42abdb": f"experts over 32 cards of four servers: {_HIDDEN}",
    "-8d567bb546": "two releases of one recipe, 4,357 and 6,304 tokens/s: the median repeat is of the late one",
    "-4a419206d8": f"experts over 32 cards of one NVLink domain: {_HIDDEN}",
    "-e0b429492b": _DROPPED,
    "-ab8e2e5879": _DROPPED,
    "+bd97041e72": f"first release on this chip; {_DROPPED}",
    "+62d17c6f54": f"first release on this chip; {_DROPPED}",
    "-cba1fc9a64": _GROK,
    "-f8bde036af": _GROK,
    "-fe9755a3bc": _GROK,
    "+63b8b30d9e": f"{_SMALL}; 32,768 tokens over two ranks that pass keys and values on",
    "+cd4baef15b": _SMALL,
    "+fdeae703b3": "32,768 tokens over two context-parallel ranks in a pipeline of four stages: what is hidden is not told",
    "-cfedd10497": "131,072 tokens: attention is most of the step, and collectives run inside the matrix products (mc2)",
    "-438aa08d81": "samples are packed: attention stays within each, the row's length is that of the pack",
    "+57b0357d4c": "two sequences a card: each gather of the weights over RoCE is paid for by little work",
    "+cd9a7cff2d": "ALiBi: biases are added to written-out scores, which no cell tells",
    "+e84832c32b": "30 billion parameters on eight cards: memory is short",
}


def reason(known: Mapping[str, str], name: str, error: float) -> str:
    return known.get(("+" if error > 0 else "-") + name, "not looked into")
