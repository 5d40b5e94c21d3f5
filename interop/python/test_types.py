"""Everything the gateway says has the types that the SDK declares: the SDK itself reads without checking."""

import json

from openai.types import Model
from openai.types.responses import (
    InputTokenCountResponse,
    Response,
    ResponseItemList,
    ResponsesServerEvent,
    ResponseStreamEvent,
)
from pydantic import TypeAdapter, ValidationError

from gateway import LOOKUP, MODEL, user
from sockets import SocketTest

PATCH = {"type": "custom", "name": "patch"}
KINDS = {
    "a message": ("count 3", {}),
    "a thought": ("think of the sea\nsay blue", {"reasoning": {"effort": "low", "summary": "auto"}}),
    "a call": ('call lookup {"city":"Oslo"}', {"tools": [LOOKUP]}),
    "a custom call": ("call patch it", {"tools": [PATCH]}),
    "an incomplete answer": ("length 2\ncount 9", {"metadata": {"ticket": "17"}, "instructions": "be brief"}),
    "a failure": ("say so far\nfail server_error the backend is gone", {"temperature": 0.5}),
    "an answer that is not stored": ("say yes", {"store": False, "include": ["reasoning.encrypted_content"]}),
}


EVENT_OF_A_STREAM = TypeAdapter(ResponseStreamEvent)
EVENT_OF_A_SOCKET = TypeAdapter(ResponsesServerEvent)


class Types(SocketTest):
    def check(self, kind, said):
        try:
            kind.validate_json(said)
            return
        except ValidationError as error:
            wrong = error.error_count()
        self.fail(f"not of its type in {wrong} ways: {said}")

    def test_a_folded_response_is_a_response(self):
        for name, (said, settings) in KINDS.items():
            with self.subTest(name):
                raw = self.responses.with_raw_response.create(model=MODEL, input=said, **settings)
                self.check(TypeAdapter(Response), raw.text)

    def test_streamed_events_are_events_of_a_stream(self):
        for name, (said, settings) in KINDS.items():
            with self.responses.with_streaming_response.create(
                model=MODEL, input=said, stream=True, **settings
            ) as raw:
                data = [line.removeprefix("data: ") for line in raw.iter_lines() if line.startswith("data: ")]
            for event in data:
                # The service nests what an error says; the SDK reads that, but declares it flat.
                if event != "[DONE]" and json.loads(event)["type"] != "error":
                    with self.subTest(name):
                        self.check(EVENT_OF_A_STREAM, event)

    def test_events_of_a_socket_are_events_of_a_socket(self):
        connection = self.connect()
        for name, (said, settings) in KINDS.items():
            connection.response.create(model=MODEL, input=said, stream_id="left", **settings)
            for event in self.next_answer(connection).events:
                with self.subTest(name, event=event.type):
                    self.check(EVENT_OF_A_SOCKET, event.to_json(indent=None))
        refused = self.refusal(connection, "hello", model="no-such-model", stream_id="left")
        self.check(EVENT_OF_A_SOCKET, refused.to_json(indent=None))

    def test_what_else_is_asked_for_has_its_type(self):
        stored = self.ask([user("one"), {"role": "user", "content": "two"}, *self.ask("say three").output])
        raw = self.responses.with_raw_response
        for kind, said in {
            Response: raw.retrieve(stored.id),
            ResponseItemList: self.responses.input_items.with_raw_response.list(stored.id),
            InputTokenCountResponse: self.responses.input_tokens.with_raw_response.count(model=MODEL, input="hello"),
            Model: self.client.models.with_raw_response.retrieve(MODEL),
        }.items():
            with self.subTest(kind.__name__):
                self.check(TypeAdapter(kind), said.text)
