"""Refusals over HTTP: which class of the SDK they become, and what they say."""

from openai import APIStatusError, BadRequestError, NotFoundError

from gateway import LOOKUP, MODEL, UNKNOWN_ID, GatewayTest


class Errors(GatewayTest):
    def assert_refused(self, status, raised):
        error = raised.exception
        self.assertEqual(error.status_code, status)
        self.assertEqual(error.type, "invalid_request_error")
        self.assertTrue(error.body["message"])
        return error

    def test_a_model_that_is_not_there_is_not_found(self):
        with self.assertRaises(NotFoundError) as raised:
            self.responses.create(model="no-such-model", input="hello")
        self.assertEqual(self.assert_refused(404, raised).code, "model_not_found")

    def test_the_same_holds_for_a_stream(self):
        with self.assertRaises(NotFoundError) as raised:
            self.responses.create(model="no-such-model", input="hello", stream=True)
        self.assertEqual(self.assert_refused(404, raised).code, "model_not_found")

    def test_a_value_of_the_wrong_type_is_refused_by_its_name(self):
        for param, value in (("input", 42), ("max_output_tokens", "many")):
            with self.subTest(param):
                with self.assertRaises(BadRequestError) as raised:
                    self.responses.create(**{"model": MODEL, "input": "hello", param: value})
                self.assertEqual(self.assert_refused(400, raised).param, param)

    def test_a_request_without_a_model_is_refused_by_that_name(self):
        with self.assertRaises(BadRequestError) as raised:
            self.responses.create(input="hello")
        self.assertEqual(self.assert_refused(400, raised).param, "model")

    def test_a_parent_that_is_not_there_is_refused_by_its_name(self):
        with self.assertRaises(BadRequestError) as raised:
            self.responses.create(model=MODEL, input="hello", previous_response_id=UNKNOWN_ID)
        error = self.assert_refused(400, raised)
        self.assertEqual((error.code, error.param), ("previous_response_not_found", "previous_response_id"))

    def test_the_output_of_a_call_that_was_never_made_is_refused(self):
        first = self.ask("say nothing to do", tools=[LOOKUP])
        stray = {"type": "function_call_output", "call_id": "call_stray", "output": "?"}
        with self.assertRaises(BadRequestError) as raised:
            self.responses.create(model=MODEL, input=[stray], previous_response_id=first.id)
        self.assert_refused(400, raised)

    def test_a_model_that_fails_midway_gives_a_failed_response_and_what_it_said(self):
        response = self.responses.create(model=MODEL, input="say so far\nfail server_error the backend is gone")
        self.assertEqual((response.status, response.output_text), ("failed", "so far"))
        self.assertEqual((response.error.code, response.error.message), ("server_error", "the backend is gone"))

    def test_a_model_that_fails_at_once_is_told_by_its_code(self):
        try:
            code = self.responses.create(model=MODEL, input="fail invalid_prompt not this").error.code
        except APIStatusError as error:
            code = error.code
        self.assertEqual(code, "invalid_prompt")
