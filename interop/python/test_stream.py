"""Streamed answers: which events come, and in which order."""

from openai import APIError

from gateway import LOOKUP, MODEL, TERMINAL, GatewayTest, kinds

BEGIN = ["response.created", "response.in_progress"]
MESSAGE_BEGINS = ["response.output_item.added", "response.content_part.added"]
MESSAGE_ENDS = ["response.output_text.done", "response.content_part.done", "response.output_item.done"]


class Stream(GatewayTest):
    def test_a_message_is_streamed_word_by_word_in_the_known_order(self):
        events = self.stream("count 4")
        deltas = ["response.output_text.delta"] * 4
        self.assertEqual(kinds(events), BEGIN + MESSAGE_BEGINS + deltas + MESSAGE_ENDS + ["response.completed"])
        self.assertEqual([event.delta for event in events if event.type in deltas], ["1", " 2", " 3", " 4"])

    def test_events_are_numbered_from_zero_without_a_gap(self):
        events = self.stream("think of it\nsay two words\ncount 3")
        self.assertEqual([event.sequence_number for event in events], list(range(len(events))))

    def test_the_streamed_text_is_the_folded_text(self):
        said = "say the same words either way"
        events = self.stream(said)
        deltas = "".join(event.delta for event in events if event.type == "response.output_text.delta")
        self.assertEqual(deltas, self.ask(said).output_text)
        self.assertEqual(events[-1].response.output_text, deltas)

    def test_parts_and_items_end_with_what_their_deltas_said(self):
        events = {event.type: event for event in self.stream("say a whole sentence")}
        self.assertEqual(events["response.output_item.added"].item.content, [])
        self.assertEqual(events["response.output_text.done"].text, "a whole sentence")
        self.assertEqual(events["response.content_part.done"].part.text, "a whole sentence")
        self.assertEqual(events["response.output_item.done"].item.content[0].text, "a whole sentence")
        self.assertEqual(events["response.output_item.done"].item.status, "completed")

    def test_one_response_has_one_id_in_every_event_and_usage_only_at_the_end(self):
        events = self.stream("say once")
        told = [event.response for event in events if hasattr(event, "response")]
        self.assertEqual(len({response.id for response in told}), 1)
        self.assertEqual([response.usage is None for response in told], [True, True, False])
        self.assertEqual([response.status for response in told], ["in_progress", "in_progress", "completed"])

    def test_items_are_numbered_in_the_order_they_begin(self):
        events = self.stream("think of it\nsay one\nsay two")
        added = [event for event in events if event.type == "response.output_item.added"]
        self.assertEqual([event.output_index for event in added], [0, 1, 2])
        self.assertEqual([event.item.type for event in added], ["reasoning", "message", "message"])
        self.assertEqual([item.id for item in events[-1].response.output], [event.item.id for event in added])

    def test_a_call_is_streamed_in_the_known_order(self):
        events = self.stream('call lookup {"city":"Oslo"}', tools=[LOOKUP])
        delta = "response.function_call_arguments.delta"
        once = [kind for kind in kinds(events) if kind != delta]
        end = ["response.function_call_arguments.done", "response.output_item.done", "response.completed"]
        self.assertEqual(once, BEGIN + ["response.output_item.added"] + end)
        said = "".join(event.delta for event in events if event.type == delta)
        [done] = [event for event in events if event.type == "response.function_call_arguments.done"]
        self.assertEqual((said, done.arguments), ('{"city":"Oslo"}', '{"city":"Oslo"}'))

    def test_a_call_of_a_custom_tool_streams_its_input(self):
        tools = [{"type": "custom", "name": "patch"}]
        events = self.stream("call patch one two", tools=tools)
        said = "".join(event.delta for event in events if event.type == "response.custom_tool_call_input.delta")
        [item] = [event.item for event in events if event.type == "response.output_item.done"]
        self.assertEqual((said, item.input), ("one two", "one two"))

    def test_a_thought_is_streamed_in_the_known_order(self):
        events = self.stream("think of the sea")
        delta = "response.reasoning_summary_text.delta"
        once = [kind for kind in kinds(events) if kind != delta]
        part = ["response.reasoning_summary_part.added", "response.reasoning_summary_text.done"]
        end = ["response.reasoning_summary_part.done", "response.output_item.done", "response.completed"]
        self.assertEqual(once, BEGIN + ["response.output_item.added"] + part + end)
        self.assertEqual("".join(event.delta for event in events if event.type == delta), "of the sea")

    def test_the_helper_of_the_sdk_folds_the_stream(self):
        with self.responses.stream(model=MODEL, input="count 3") as stream:
            snapshots = [event.snapshot for event in stream if event.type == "response.output_text.delta"]
            final = stream.get_final_response()
        self.assertEqual(snapshots, ["1", "1 2", "1 2 3"])
        self.assertEqual((final.status, final.output_text), ("completed", "1 2 3"))

    def test_an_answer_that_is_too_long_ends_the_stream_as_incomplete(self):
        last = self.stream("length 2\ncount 9")[-1]
        self.assertEqual(last.type, "response.incomplete")
        self.assertEqual(last.response.incomplete_details.reason, "max_output_tokens")
        self.assertEqual([item.status for item in last.response.output], ["incomplete"])

    def test_a_failure_is_told_once_and_ends_the_stream(self):
        seen = []
        code = None
        said = "say so far\nfail server_error the backend is gone"
        with self.responses.create(model=MODEL, input=said, stream=True) as events:
            try:
                seen.extend(events)
                code = seen[-1].response.error.code
            except APIError as error:
                code = error.code
        self.assertEqual(code, "server_error")
        self.assertIn("response.output_item.done", kinds(seen))
        self.assertNotIn("response.completed", kinds(seen))
        self.assertLessEqual(len(TERMINAL.intersection(kinds(seen))), 1)
