"""WebSocket mode on one lane: one socket, many turns, what is remembered, what is lost with it."""

from openai import NotFoundError

from gateway import LOOKUP, MODEL, STEP, UNKNOWN_ID, answer, kinds, user
from sockets import SocketTest

ROUNDS = 30


class Session(SocketTest):
    def test_thirty_rounds_of_tools_go_over_one_socket_with_only_what_is_new(self):
        for stored in (True, False):
            with self.subTest(stored=stored):
                connection = self.connect()
                told = self.turn(connection, f"rounds {ROUNDS} step", tools=[STEP], store=stored)
                for number in range(1, ROUNDS + 1):
                    [call] = told.items
                    self.assertEqual((call.type, call.name), ("function_call", "step"))
                    self.assertEqual(call.arguments.replace(" ", ""), f'{{"round":{number}}}')
                    parent = told.id
                    told = self.turn(
                        connection,
                        [answer(call, f"result {number}")],
                        tools=[STEP],
                        store=stored,
                        previous_response_id=parent,
                    )
                    self.assertEqual(told.last.response.previous_response_id, parent)
                self.assertEqual(told.text, f"done after {ROUNDS} rounds")
                connection.close()

    def test_events_are_those_of_a_stream_without_a_lane(self):
        socket = self.turn(self.connect(), "think of it\ncount 3").events
        self.assertEqual(kinds(socket), kinds(self.stream("think of it\ncount 3")))
        self.assertEqual([event.sequence_number for event in socket], list(range(len(socket))))
        self.assertEqual([event for event in socket if getattr(event, "stream_id", None) is not None], [])

    def test_a_request_without_a_parent_begins_anew_on_the_same_socket(self):
        connection = self.connect()
        self.turn(connection, "my name is Ada")
        self.assertEqual(self.turn(connection, "recall").text, "")

    def test_a_warm_up_says_nothing_and_is_continued(self):
        connection = self.connect()
        warm = self.turn(connection, [user("my name is Ada")], generate=False, tools=[LOOKUP], store=False)
        self.assertEqual((warm.items, kinds(warm.events)[0]), ([], "response.created"))
        told = self.turn(connection, "recall", previous_response_id=warm.id, tools=[LOOKUP], store=False)
        self.assertEqual(told.text, "my name is Ada")

    def test_what_is_stored_over_a_socket_is_retrieved_over_http(self):
        connection = self.connect()
        kept = self.turn(connection, "say kept")
        self.assertEqual(self.responses.retrieve(kept.id).output_text, "kept")
        lost = self.turn(connection, "say lost", store=False)
        with self.assertRaises(NotFoundError):
            self.responses.retrieve(lost.id)

    def test_a_response_made_over_http_is_continued_over_a_socket(self):
        first = self.ask("my name is Ada")
        self.assertEqual(self.turn(self.connect(), "recall", previous_response_id=first.id).text, "my name is Ada")


class Reconnect(SocketTest):
    def test_a_new_socket_continues_a_stored_response(self):
        connection = self.connect()
        first = self.turn(connection, "my name is Ada")
        connection.close()
        self.assertEqual(self.turn(self.connect(), "recall", previous_response_id=first.id).text, "my name is Ada")

    def test_without_storage_the_parent_is_gone_and_sending_all_of_it_helps(self):
        connection = self.connect()
        first = self.turn(connection, "my name is Ada", store=False)
        connection.close()
        connection = self.connect()
        error = self.refusal(connection, "recall", previous_response_id=first.id, store=False)
        self.assertEqual((error.status, error.error.code), (400, "previous_response_not_found"))
        self.assertEqual(error.error.param, "previous_response_id")
        whole = [user("my name is Ada"), *(item.to_dict() for item in first.items), user("recall")]
        self.assertEqual(self.turn(connection, whole, store=False).text, "my name is Ada")


class Refused(SocketTest):
    def test_a_refused_request_leaves_the_socket_usable(self):
        connection = self.connect()
        error = self.refusal(connection, "hello", model="no-such-model")
        self.assertEqual((error.status, error.error.code), (404, "model_not_found"))
        error = self.refusal(connection, "hello", previous_response_id=UNKNOWN_ID)
        self.assertEqual((error.status, error.error.code), (400, "previous_response_not_found"))
        error = self.refusal(connection, 42)
        self.assertEqual((error.status, error.error.param), (400, "input"))
        self.assertEqual(self.turn(connection, "say still here").text, "still here")

    def test_a_model_that_fails_midway_ends_the_response_and_not_the_socket(self):
        connection = self.connect()
        connection.response.create(model=MODEL, input="say so far\nfail server_error the backend is gone")
        failed = self.next_answer(connection)
        if failed.last.type == "error":
            self.assertEqual(failed.last.error.code, "server_error")
            failed = self.next_answer(connection)
        self.assertEqual(failed.last.type, "response.failed")
        self.assertEqual(failed.last.response.error.code, "server_error")
        self.assertEqual(self.turn(connection, "say still here").text, "still here")

    def test_a_model_that_fails_at_once_leaves_the_socket_usable(self):
        connection = self.connect()
        connection.response.create(model=MODEL, input="fail invalid_prompt not this")
        last = self.next_answer(connection).last
        error = last.error if last.type == "error" else last.response.error
        self.assertEqual(error.code, "invalid_prompt")
        self.assertEqual(self.turn(connection, "say still here").text, "still here")

    def test_a_continuation_that_fails_takes_its_parent_with_it(self):
        connection = self.connect()
        first = self.turn(connection, "my name is Ada", store=False)
        refused = {"previous_response_id": first.id, "store": False}
        self.refusal(connection, "hello", model="no-such-model", **refused)
        error = self.refusal(connection, "recall", **refused)
        self.assertEqual(error.error.code, "previous_response_not_found")


class Steer(SocketTest):
    def test_a_steer_is_accepted_and_a_successor_answers_it(self):
        connection = self.connect()
        connection.response.create(model=MODEL, input="say first\npause 1000\nsay second")
        steered = connection.recv().response.id
        connection.response.steer(previous_response_id=steered, input="say as you wish")
        parent = self.next_answer(connection)
        accepted = [event for event in parent.events if event.type == "response.steer.accepted"]
        self.assertEqual([event.steer.previous_response_id for event in accepted], [steered])
        self.assertTrue(accepted[0].steer.id.startswith("steer_"), accepted[0].steer.id)
        if parent.last.type == "response.incomplete":
            self.assertEqual(parent.last.response.incomplete_details.reason, "steered")
        else:
            self.assertEqual(parent.last.type, "response.completed")
        successor = self.next_answer(connection)
        self.assertEqual(successor.events[0].type, "response.created")
        self.assertEqual(successor.events[0].response.previous_response_id, steered)
        self.assertEqual((successor.last.type, successor.text), ("response.completed", "as you wish"))

    def test_a_steer_of_an_unknown_response_is_given_back(self):
        connection = self.connect()
        connection.response.steer(previous_response_id=UNKNOWN_ID, input="say as you wish")
        failed = connection.recv()
        self.assertEqual(failed.type, "response.steer.failed")
        self.assertEqual(failed.error.code, "response_not_found")
        self.assertEqual((failed.steer.previous_response_id, failed.steer.input), (UNKNOWN_ID, "say as you wish"))

    def test_a_steer_waits_for_the_output_of_a_call(self):
        connection = self.connect()
        asked = self.turn(connection, 'call lookup {"city":"Oslo"}', tools=[LOOKUP])
        [call] = asked.items
        connection.response.steer(previous_response_id=asked.id, input="say as you wish")
        accepted, pending = connection.recv(), connection.recv()
        self.assertEqual(kinds([accepted, pending]), ["response.steer.accepted", "response.steer.pending"])
        self.assertEqual((pending.reason, pending.steer.id), ("waiting_for_required_input", accepted.steer.id))
        [stub] = pending.required_input
        self.assertEqual((stub.type, stub.call_id), ("function_call_output", call.call_id))
        told = self.turn(connection, [answer(call, "rain")], tools=[LOOKUP], previous_response_id=asked.id)
        recalled = self.turn(connection, "recall", previous_response_id=told.id)
        self.assertIn("say as you wish", recalled.text.splitlines())
