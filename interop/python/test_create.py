"""Folded answers: `POST /responses` without a stream."""

from openai import BadRequestError
from pydantic import BaseModel

from gateway import LOOKUP, MODEL, GatewayTest, answer, function, user


class Weather(BaseModel):
    city: str
    degrees: int


class Create(GatewayTest):
    def test_an_answer_says_what_the_model_said_and_is_complete(self):
        response = self.ask("say the gateway is here")
        self.assertEqual(response.output_text, "the gateway is here")
        self.assertEqual(response.object, "response")
        self.assertTrue(response.id.startswith("resp_"), response.id)
        self.assertEqual(response.model, MODEL)
        self.assertIsNone(response.error)
        self.assertIsNone(response.previous_response_id)
        [message] = response.output
        self.assertEqual((message.type, message.role, message.status), ("message", "assistant", "completed"))

    def test_usage_adds_up(self):
        usage = self.ask("count 5").usage
        self.assertGreater(usage.input_tokens, 0)
        self.assertGreater(usage.output_tokens, 0)
        self.assertEqual(usage.total_tokens, usage.input_tokens + usage.output_tokens)

    def test_a_message_without_a_command_is_repeated(self):
        self.assertEqual(self.ask("good evening").output_text, "You said: good evening")

    def test_what_was_asked_for_is_shown_in_the_response(self):
        response = self.ask(
            "say yes", instructions="be brief", metadata={"ticket": "17"}, tools=[LOOKUP], max_output_tokens=100
        )
        self.assertEqual(response.instructions, "be brief")
        self.assertEqual(response.metadata, {"ticket": "17"})
        self.assertEqual(response.max_output_tokens, 100)
        self.assertEqual([tool.name for tool in response.tools], ["lookup"])

    def test_a_conversation_goes_on_by_the_id_of_its_last_response(self):
        first = self.ask("my name is Ada")
        second = self.ask("my town is Oslo", previous_response_id=first.id)
        third = self.ask("recall", previous_response_id=second.id)
        self.assertEqual(third.previous_response_id, second.id)
        self.assertEqual(third.output_text.splitlines(), ["my name is Ada", "my town is Oslo"])

    def test_two_answers_to_the_same_response_do_not_know_each_other(self):
        root = self.ask("the root")
        left = self.ask("the left", previous_response_id=root.id)
        right = self.ask("the right", previous_response_id=root.id)
        for branch, own in ((left, "the left"), (right, "the right")):
            recalled = self.ask("recall", previous_response_id=branch.id).output_text
            self.assertEqual(recalled.splitlines(), ["the root", own])

    def test_a_response_that_is_not_stored_cannot_be_continued(self):
        lost = self.ask("my name is Ada", store=False)
        with self.assertRaises(BadRequestError) as refused:
            self.ask("recall", previous_response_id=lost.id)
        self.assertEqual(refused.exception.code, "previous_response_not_found")
        self.assertEqual(refused.exception.param, "previous_response_id")

    def test_a_conversation_that_is_sent_whole_needs_no_memory(self):
        first = self.ask("my name is Ada", store=False)
        whole = [user("my name is Ada"), *(item.to_dict() for item in first.output), user("recall")]
        self.assertEqual(self.ask(whole, store=False).output_text, "my name is Ada")

    def test_thoughts_come_before_the_answer(self):
        thought, message = self.ask("think of the sea\nsay blue").output
        self.assertEqual((thought.type, message.type), ("reasoning", "message"))
        self.assertEqual([part.text for part in thought.summary], ["of the sea"])

    def test_an_answer_that_is_too_long_is_incomplete_and_says_why(self):
        response = self.responses.create(model=MODEL, input="length 3\ncount 10")
        self.assertEqual(response.status, "incomplete")
        self.assertEqual(response.incomplete_details.reason, "max_output_tokens")
        self.assertEqual(len(response.output_text.split()), 3, response.output_text)


class Tools(GatewayTest):
    def test_a_call_is_made_and_its_output_answered(self):
        asked = self.ask('call lookup {"city":"Oslo"}', tools=[LOOKUP])
        [call] = asked.output
        self.assertEqual((call.type, call.name, call.status), ("function_call", "lookup", "completed"))
        self.assertEqual(call.arguments, '{"city":"Oslo"}')
        told = self.ask([answer(call, "rain")], tools=[LOOKUP], previous_response_id=asked.id)
        self.assertEqual(told.output_text, "Tool said: rain")

    def test_two_calls_of_one_response_are_answered_together(self):
        asked = self.ask('call lookup {"city":"Oslo"}\ncall lookup {"city":"Rome"}', tools=[LOOKUP])
        north, south = asked.output
        self.assertNotEqual(north.call_id, south.call_id)
        outputs = [answer(north, "rain"), answer(south, "sun")]
        told = self.ask(outputs, tools=[LOOKUP], previous_response_id=asked.id)
        self.assertEqual(told.output_text, "Tool said: rain, sun")

    def test_a_custom_tool_is_called_with_raw_input(self):
        tools = [{"type": "custom", "name": "patch", "description": "takes a patch"}]
        asked = self.ask("call patch *** not { json", tools=tools)
        [call] = asked.output
        self.assertEqual((call.type, call.name, call.input), ("custom_tool_call", "patch", "*** not { json"))
        told = self.ask([answer(call, "applied")], tools=tools, previous_response_id=asked.id)
        self.assertEqual(told.output_text, "Tool said: applied")

    def test_a_round_trip_without_memory_sends_the_call_again(self):
        question = user('call lookup {"city":"Oslo"}')
        [call] = self.ask([question], tools=[LOOKUP], store=False).output
        told = self.ask([question, call.to_dict(), answer(call, "rain")], tools=[LOOKUP], store=False)
        self.assertEqual(told.output_text, "Tool said: rain")


class StructuredOutput(GatewayTest):
    SAID = 'json {"city":"Oslo","degrees":-3}'

    def test_an_answer_is_parsed_into_the_type_that_was_asked_for(self):
        response = self.responses.parse(model=MODEL, input=self.SAID, text_format=Weather)
        self.assertEqual(response.output_parsed, Weather(city="Oslo", degrees=-3))
        self.assertEqual(response.text.format.type, "json_schema")
        self.assertEqual(response.text.format.name, "Weather")

    def test_a_streamed_answer_is_parsed_too(self):
        with self.responses.stream(model=MODEL, input=self.SAID, text_format=Weather) as stream:
            final = stream.get_final_response()
        self.assertEqual(final.output_parsed, Weather(city="Oslo", degrees=-3))

    def test_the_arguments_of_a_strict_function_are_parsed(self):
        report = function("report", city="string", degrees="integer")
        response = self.responses.parse(
            model=MODEL, input='call report {"city":"Oslo","degrees":-3}', tools=[report]
        )
        [call] = response.output
        self.assertEqual(call.parsed_arguments, {"city": "Oslo", "degrees": -3})
