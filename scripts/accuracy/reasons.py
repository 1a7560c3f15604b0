"""Likely reasons for the worst errors, found by reading records and rows."""

from __future__ import annotations

from collections.abc import Mapping

# The sign before a name says for which error the reason was written.
_RESTARTS = "the hours hold restarts, and what so large a scale takes is not taken off"
_WIDE = "the chip's rows of mixtures in 16 bit are mostly of eight wide experts"
RUN_REASONS = {
    "+llama-4-scout": "our model record takes full attention over 262,144 tokens in every layer; Llama 4 "
    "attends in chunks in most layers, and pre-training is unlikely to have used that length throughout",
    "-llama-4-scout": f"{_WIDE}; {_RESTARTS}",
    "-llama-4-maverick": f"128 experts, while {_WIDE}, which run faster; {_RESTARTS}",
    "-pythia-70m": "a model 512 wide: small kernels, the optimizer and the look-up, none of it model FLOPs; "
    "nothing so small was measured on this chip in fp16",
    "-pythia-1b": "asked in bf16, as the record says, it is given the efficiency of the chip's tuned bf16 "
    "rows; it ran at the speed of its fp16 siblings in the same software",
    "-mpt-1.3b-redpajama-300b-token-equivalent": "a third party's figure, scaled from 'about half a day'; "
    "neither the sequence nor the shape is on record",
    "-mpt-7b": "the hours hold restarts on 440 chips; the chip's rows are the maker's own tuned settings",
    "-bloom-176b": "48 nodes on Omni-Path, pipelined, with full recomputation; the chip's bf16 rows are "
    "mostly of sharded training on faster networks; the hours hold restarts",
    "-llama-3.1-70b": f"'15T+' tokens and a long-context stage; {_RESTARTS}",
    "-llama-3-70b": f"'15T+' tokens; {_RESTARTS}",
    "-llama-3.1-405b": f"a long-context stage; {_RESTARTS}",
    "-llama-2-34b": "the hours hold restarts; the shape is the usual one for the size",
    "-palm-540b": "no measured row of TPU v4: borrowed from TPU v6e; the hours hold downtime, repeated steps "
    "and two weeks on half the machine",
    "+gpt-2-774m-repro-llm-c": "hand-written kernels on one node; the chip's rows are of sharded training in "
    "PyTorch, many with recomputation",
    "+gpt-2-350m-repro-llm-c": "hand-written kernels on one node, as GPT-2 774M",
}
_IDLE = "4 micro-batches in a pipeline of {} stages: it stands idle {} of the time"
_NARROW = "experts only {} wide keep matrix units idle, tokens are sent to {}; most rows are of wider ones"
_EARLY = "256 narrow experts in an early release (NeMo 25.05); a later one reaches over three times the speed"
CONFIG_REASONS = {
    "+511e073180": _IDLE.format(64, "94 %"),
    "+dd2c846f15": _IDLE.format(32, "89 %"),
    "+f31c69ff78": "experts only 768 wide, before tuning: a later release runs the recipe 2.8 times as fast",
    "+99c441d18f": _NARROW.format("1,536", "32 chips across nodes"),
    "+9f49ae8c27": _NARROW.format("2,048", "64 chips across nodes"),
    "+48dd54e92e": _NARROW.format("768", "8 chips"),
    "+6e9434fbe6": _EARLY,
    "+fc18049788": _EARLY,
    "+4a90f51343": _EARLY,
    "+b33aa62c28": "at 32,768 tokens attention scores are most of the FLOPs; they are counted unmasked, and "
    "run in 16 bit while the peak is that of FP8",
    "+e9a54ab6b9": _NARROW.format("1,536", "32 chips across nodes"),
    "+ead1ec63b9": _NARROW.format("768", "8 chips"),
}


def reason(known: Mapping[str, str], name: str, error: float) -> str:
    return known.get(("+" if error > 0 else "-") + name, "not looked into")
