"""A server that keeps what it is asked and answers in the form of each provider's API."""

import http.server
import json
import threading
from contextlib import contextmanager

from langchain_openai import ChatOpenAI

THOUGHT, ANSWER = "s, t, r, a, w: r's are counted.", "The answer is 3"
USAGE = {"prompt": 20, "output": 30, "thought": 22}


def chat_completion(body):
    """vLLM, llama.cpp and SGLang send the thought beside the answer; OpenAI only counts it."""
    return {
        "id": "c",
        "object": "chat.completion",
        "created": 0,
        "model": body["model"],
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": ANSWER, "reasoning_content": THOUGHT},
            }
        ],
        "usage": {
            "prompt_tokens": USAGE["prompt"],
            "completion_tokens": USAGE["output"],
            "total_tokens": USAGE["prompt"] + USAGE["output"],
            "completion_tokens_details": {"reasoning_tokens": USAGE["thought"]},
        },
    }


def response(body):
    summary = [{"type": "summary_text", "text": THOUGHT}]
    said = {"type": "output_text", "text": ANSWER, "annotations": []}
    return {
        "id": "r",
        "object": "response",
        "created_at": 0,
        "model": body["model"],
        "status": "completed",
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "output": [
            {"type": "reasoning", "id": "rs", "summary": summary},
            {"type": "message", "id": "m", "role": "assistant", "status": "completed",
             "content": [said]},
        ],
        "usage": {
            "input_tokens": USAGE["prompt"],
            "output_tokens": USAGE["output"],
            "total_tokens": USAGE["prompt"] + USAGE["output"],
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens_details": {"reasoning_tokens": USAGE["thought"]},
        },
    }  # fmt: skip


def message(body):
    return {
        "id": "m",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "content": [
            {"type": "thinking", "thinking": THOUGHT, "signature": "s"},
            {"type": "text", "text": ANSWER},
        ],
        "usage": {
            "input_tokens": USAGE["prompt"],
            "output_tokens": USAGE["output"],
            "output_tokens_details": {"thinking_tokens": USAGE["thought"]},
        },
    }


def generated(body):
    return {
        "candidates": [
            {
                "content": {
                    "role": "model",
                    "parts": [{"text": THOUGHT, "thought": True}, {"text": ANSWER}],
                },
                "finishReason": "STOP",
                "index": 0,
            }
        ],
        "usageMetadata": {
            "promptTokenCount": USAGE["prompt"],
            "candidatesTokenCount": USAGE["output"] - USAGE["thought"],
            "thoughtsTokenCount": USAGE["thought"],
            "totalTokenCount": USAGE["prompt"] + USAGE["output"],
        },
    }


def ollama_chat(body):
    common = {"model": body["model"], "created_at": "2026-11-01T00:00:00Z"}
    thinks = {"thinking": THOUGHT} if body.get("think") else {}
    said = {"role": "assistant", "content": ANSWER, **thinks}
    counts = {"prompt_eval_count": USAGE["prompt"], "eval_count": USAGE["output"]}
    return {**common, "message": said, "done": True, "done_reason": "stop", **counts}


def chat_completion_events(body):
    """The same in chunks, the thought before the answer."""
    whole = chat_completion(body)
    head = {**whole, "object": "chat.completion.chunk"}
    head.pop("usage")
    middle = len(THOUGHT) // 2
    deltas = [{"role": "assistant", "content": ""}]
    deltas += [{"reasoning_content": piece} for piece in (THOUGHT[:middle], THOUGHT[middle:])]
    deltas += [{"content": ANSWER}]
    choices = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
    choices += [{"index": 0, "delta": {}, "finish_reason": "stop"}]
    yield from ({**head, "choices": [choice]} for choice in choices)
    yield {**head, "choices": [], "usage": whole["usage"]}


def message_events(body):
    """Anthropic's events of a message with a thought."""
    whole = message(body)
    thinking, text = {"type": "thinking", "thinking": ""}, {"type": "text", "text": ""}
    begun = {"input_tokens": USAGE["prompt"], "output_tokens": 1}
    yield {"type": "message_start", "message": {**whole, "content": [], "usage": begun}}
    yield {"type": "content_block_start", "index": 0, "content_block": thinking}
    delta = {"type": "thinking_delta", "thinking": THOUGHT}
    yield {"type": "content_block_delta", "index": 0, "delta": delta}
    signature = {"type": "signature_delta", "signature": "s"}
    yield {"type": "content_block_delta", "index": 0, "delta": signature}
    yield {"type": "content_block_stop", "index": 0}
    yield {"type": "content_block_start", "index": 1, "content_block": text}
    delta = {"type": "text_delta", "text": ANSWER}
    yield {"type": "content_block_delta", "index": 1, "delta": delta}
    yield {"type": "content_block_stop", "index": 1}
    ended = {"stop_reason": "end_turn", "stop_sequence": None}
    yield {"type": "message_delta", "delta": ended, "usage": whole["usage"]}
    yield {"type": "message_stop"}


EVENTS = {"/v1/chat/completions": chat_completion_events, "/v1/messages": message_events}
FORMS = {
    "/v1/chat/completions": chat_completion,
    "/v1/responses": response,
    "/v1/messages": message,
    "/api/chat": ollama_chat,
}


def _events(told):
    lines = []
    for event in told:
        lines += [f"event: {event['type']}\n"] if "type" in event else []
        lines += [f"data: {json.dumps(event)}\n\n"]
    return "".join([*lines, "data: [DONE]\n\n"]).encode()


class Recorder:
    """What was asked, and what is refused.

    Attributes:
        url: where the server listens.
        asked: the bodies of all requests, in order.
        refuses: called with a body; a text that it returns is the error of a status 400.
    """

    def __init__(self, url):
        self.url, self.asked, self.refuses = url, [], lambda body: None


@contextmanager
def recording():
    """A recorder, and a server on a thread that it records."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            recorder.asked.append(body)
            refusal = recorder.refuses(body)
            if refusal:
                reply, status = {"error": {"message": refusal, "type": "invalid"}}, 400
            else:
                reply, status = FORMS.get(self.path, generated)(body), 200
            sent, kind = json.dumps(reply).encode() + b"\n", "application/json"
            if status == 200 and body.get("stream") and self.path in EVENTS:
                sent, kind = _events(EVENTS[self.path](body)), "text/event-stream"
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(sent)))
            self.send_header("connection", "close")  # clients that are not closed leave nothing
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    recorder = Recorder(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield recorder
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def chat_openai(url, model="gpt-5-mini", thinks=True, **more):
    """The real class at a recording server."""
    metadata = {"thinks_natively": thinks}
    return ChatOpenAI(model=model, api_key="none", base_url=f"{url}/v1", metadata=metadata, **more)
