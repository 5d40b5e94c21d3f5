"""What every test has: a client of the gateway, and tools that its model may call."""

import faulthandler
import os
import unittest

from openai import OpenAI

MODEL = "scripted"
UNKNOWN_ID = "resp_" + "0" * 32
HTTP_SECONDS = 20
TEST_SECONDS = 60

TERMINAL = {"response.completed", "response.incomplete", "response.failed"}


def function(name, **properties):
    """A function tool all of whose properties must be given."""
    parameters = {
        "type": "object",
        "properties": {key: {"type": kind} for key, kind in properties.items()},
        "required": list(properties),
        "additionalProperties": False,
    }
    return {"type": "function", "name": name, "description": f"{name}s", "parameters": parameters, "strict": True}


LOOKUP = function("lookup", city="string")
STEP = function("step", round="integer")


def user(text):
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


def answer(call, output):
    """The output of a call, as the next request carries it."""
    return {"type": f"{call.type}_output", "call_id": call.call_id, "output": output}


def kinds(events):
    return [event.type for event in events]


class GatewayTest(unittest.TestCase):
    """A test that hangs ends the run and shows where."""

    maxDiff = None

    def setUp(self):
        faulthandler.dump_traceback_later(TEST_SECONDS, exit=True)
        self.addCleanup(faulthandler.cancel_dump_traceback_later)
        self.client = OpenAI(
            base_url=os.environ["CAPSTAN_INTEROP_URL"],
            api_key=os.environ.get("CAPSTAN_INTEROP_KEY", "interop"),
            max_retries=0,
            timeout=HTTP_SECONDS,
        )
        self.addCleanup(self.client.close)
        self.responses = self.client.responses

    def ask(self, said, **settings):
        """One folded answer, which must be complete."""
        response = self.responses.create(model=MODEL, input=said, **settings)
        self.assertEqual(response.status, "completed", response.error)
        return response

    def stream(self, said, **settings):
        """All events of one streamed answer."""
        with self.responses.create(model=MODEL, input=said, stream=True, **settings) as events:
            return list(events)
