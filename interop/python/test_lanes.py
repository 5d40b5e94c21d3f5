"""WebSocket mode on many lanes: who is answered where, and what a fork remembers."""

from openai.lib.responses_websocket import ResponsesWebSocketLimits, ResponsesWebSocketSession

from gateway import MODEL, TERMINAL, kinds
from sockets import Answer, SocketTest

LIMITS = ResponsesWebSocketLimits(
    max_lanes=8, max_events_per_lane=1000, max_events=4000, max_bytes_per_lane=1 << 20, max_bytes=1 << 22
)
SECONDS = 20


class Lanes(SocketTest):
    def until_ended(self, connection, count):
        """Events of all lanes until that many responses have ended."""
        events = []
        while sum(event.type in TERMINAL for event in events) < count:
            events.append(connection.recv())
            self.assertNotEqual(events[-1].type, "error", events[-1])
        return events

    def split(self, events):
        lanes = {}
        for event in events:
            lanes.setdefault(event.stream_id, []).append(event)
        return {lane: Answer(told) for lane, told in lanes.items()}

    def test_every_event_of_a_lane_carries_its_name(self):
        told = self.turn(self.connect(), "think of it\ncount 3", stream_id="left")
        self.assertEqual({event.stream_id for event in told.events}, {"left"})

    def test_a_fork_remembers_the_response_of_the_other_lane_and_so_does_its_source(self):
        for stored in (True, False):
            with self.subTest(stored=stored):
                connection = self.connect()
                root = self.turn(connection, "the root", stream_id="left", store=stored)
                settings = {"previous_response_id": root.id, "store": stored}
                connection.response.create(model=MODEL, input="the right", stream_id="right", **settings)
                begun = [connection.recv(), connection.recv()]
                self.assertEqual(kinds(begun), ["response.created", "response.in_progress"])
                connection.response.create(model=MODEL, input="the left", stream_id="left", **settings)
                lanes = self.split(begun + self.until_ended(connection, 2))
                self.assertEqual(set(lanes), {"left", "right"})
                for name, lane in lanes.items():
                    recalled = self.turn(
                        connection, "recall", stream_id=name, previous_response_id=lane.id, store=stored
                    )
                    self.assertEqual(recalled.text.splitlines(), ["the root", f"the {name}"])

    def test_a_lane_that_waits_does_not_hold_up_another(self):
        connection = self.connect()
        connection.response.create(model=MODEL, input="pause 2000\nsay slow", stream_id="slow")
        connection.response.create(model=MODEL, input="say quick", stream_id="quick")
        events = self.until_ended(connection, 2)
        ended = [event.stream_id for event in events if event.type in TERMINAL]
        self.assertEqual(ended, ["quick", "slow"])

    def test_requests_of_one_lane_are_answered_one_after_the_other(self):
        connection = self.connect()
        for said in ("pause 200\nsay one", "say two", "say three"):
            connection.response.create(model=MODEL, input=said, stream_id="only")
        answers = [self.next_answer(connection) for _ in range(3)]
        self.assertEqual([told.text for told in answers], ["one", "two", "three"])
        for told in answers:
            self.assertEqual({event.response.id for event in told.events if hasattr(event, "response")}, {told.id})

    def test_the_lane_without_a_name_runs_beside_the_named_ones(self):
        connection = self.connect()
        connection.response.create(model=MODEL, input="say named", stream_id="named")
        connection.response.create(model=MODEL, input="say plain")
        lanes = self.split(self.until_ended(connection, 2))
        self.assertEqual({lane: told.text for lane, told in lanes.items()}, {"named": "named", None: "plain"})

    def test_a_lane_used_again_without_a_parent_begins_anew(self):
        connection = self.connect()
        self.turn(connection, "my name is Ada", stream_id="left")
        self.assertEqual(self.turn(connection, "recall", stream_id="left").text, "")

    def test_a_name_that_no_lane_may_have_is_refused_without_one(self):
        connection = self.connect()
        for name in ("no spaces", "", "x" * 257):
            error = self.refusal(connection, "hello", stream_id=name)
            self.assertEqual((error.status, error.error.code), (400, "invalid_stream_id"))
            self.assertIsNone(error.stream_id)

    def test_an_error_ends_only_the_request_of_its_lane(self):
        connection = self.connect()
        connection.response.create(model=MODEL, input="pause 300\nsay unharmed", stream_id="left")
        connection.response.create(model="no-such-model", input="hello", stream_id="right")
        events = []
        while not events or events[-1].type not in TERMINAL:
            events.append(connection.recv())
        [error] = [event for event in events if event.type == "error"]
        self.assertEqual((error.stream_id, error.error.code), ("right", "model_not_found"))
        told = Answer([event for event in events if event.type != "error"])
        self.assertEqual((told.last.stream_id, told.text), ("left", "unharmed"))


class LanesOfTheSdk(SocketTest):
    def test_the_session_of_the_sdk_routes_lanes_and_folds_their_answers(self):
        connection = self.responses.connect().enter()
        with ResponsesWebSocketSession(connection, limits=LIMITS) as session:
            left, right = session.lane("left"), session.lane("right")
            for lane, said in ((left, "count 30"), (right, "say right")):
                lane.send({"type": "response.create", "model": MODEL, "input": said})
            told = right.get_final_response(timeout=SECONDS)
            self.assertEqual((told.status, told.output_text), ("completed", "right"))
            told = left.get_final_response(timeout=SECONDS)
            self.assertEqual(told.output_text, " ".join(str(number) for number in range(1, 31)))
            ask = {"type": "response.create", "model": MODEL, "input": "recall", "previous_response_id": told.id}
            left.send(ask)
            while left.recv(timeout=SECONDS).type != "response.created":
                pass
            self.assertEqual(left.get_final_response(timeout=SECONDS).output_text, "count 30")
