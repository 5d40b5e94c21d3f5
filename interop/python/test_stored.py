"""What the gateway keeps: stored responses, background runs, compacted conversations, keys of repeated requests."""

import time
import uuid

from openai import BadRequestError, NotFoundError

from gateway import MODEL, UNKNOWN_ID, GatewayTest, user

POLL_SECONDS = 0.05
RUNNING = {"queued", "in_progress"}


def plain(event):
    """An event as data, without the padding that is random."""
    return {key: value for key, value in event.to_dict().items() if key != "obfuscation"}


class Stored(GatewayTest):
    def test_a_stored_response_is_retrieved_as_it_was_created(self):
        created = self.ask("say keep this", metadata={"ticket": "17"})
        self.assertEqual(self.responses.retrieve(created.id).to_dict(), created.to_dict())

    def test_a_response_that_is_not_stored_is_not_found(self):
        created = self.ask("say forget this", store=False)
        with self.assertRaises(NotFoundError):
            self.responses.retrieve(created.id)

    def test_a_stored_stream_is_read_again_from_where_one_left(self):
        events = self.stream("count 6")
        response = events[0].response.id
        for after in (0, 5, len(events) - 2):
            with self.responses.retrieve(response, stream=True, starting_after=after) as again:
                replayed = [plain(event) for event in again]
            self.assertEqual(replayed, [plain(event) for event in events[after + 1 :]])

    def test_the_items_of_the_input_are_listed_in_both_orders(self):
        created = self.ask([user("one"), user("two"), user("say three")])
        said = ["one", "two", "say three"]
        for order, expected in (("asc", said), ("desc", said[::-1])):
            items = self.responses.input_items.list(created.id, order=order)
            self.assertEqual([item.content[0].text for item in items], expected)

    def test_a_plain_text_is_listed_as_a_message_of_one_part(self):
        [item] = self.responses.input_items.list(self.ask("say plain").id)
        self.assertEqual((item.type, item.role), ("message", "user"))
        self.assertEqual([part.to_dict() for part in item.content], [{"type": "input_text", "text": "say plain"}])

    def test_a_long_input_is_listed_page_by_page(self):
        said = [f"word {number}" for number in range(5)]
        created = self.ask([user(text) for text in said])
        page = self.responses.input_items.list(created.id, order="asc", limit=2)
        self.assertEqual((len(page.data), page.has_next_page()), (2, True))
        items = list(page)
        self.assertEqual([item.content[0].text for item in items], said)
        self.assertEqual(len({item.id for item in items}), 5)

    def test_a_deleted_response_is_gone_and_cannot_be_continued(self):
        created = self.ask("say goodbye")
        self.responses.delete(created.id)
        with self.assertRaises(NotFoundError):
            self.responses.retrieve(created.id)
        with self.assertRaises(NotFoundError):
            self.responses.delete(created.id)
        with self.assertRaises(BadRequestError) as refused:
            self.ask("recall", previous_response_id=created.id)
        self.assertEqual(refused.exception.code, "previous_response_not_found")

    def test_what_never_was_is_not_found(self):
        with self.assertRaises(NotFoundError):
            self.responses.retrieve(UNKNOWN_ID)
        with self.assertRaises(NotFoundError):
            self.responses.input_items.list(UNKNOWN_ID)


class Background(GatewayTest):
    def until_it_ended(self, response):
        deadline = time.monotonic() + 20
        while response.status in RUNNING:
            self.assertLess(time.monotonic(), deadline, "the background run does not end")
            time.sleep(POLL_SECONDS)
            response = self.responses.retrieve(response.id)
        return response

    def test_a_background_run_is_polled_until_it_ends(self):
        started = self.responses.create(model=MODEL, input="pause 200\nsay done", background=True)
        self.assertIn(started.status, RUNNING)
        self.assertTrue(started.background)
        ended = self.until_it_ended(started)
        self.assertEqual((ended.id, ended.status, ended.output_text), (started.id, "completed", "done"))

    def test_a_background_run_is_cancelled_and_stays_so(self):
        started = self.responses.create(model=MODEL, input="say begun\npause 60000\nsay never", background=True)
        cancelled = self.responses.cancel(started.id)
        self.assertEqual((cancelled.id, cancelled.status), (started.id, "cancelled"))
        self.assertEqual(self.responses.cancel(started.id).status, "cancelled")
        self.assertEqual(self.responses.retrieve(started.id).status, "cancelled")

    def test_only_a_background_run_can_be_cancelled(self):
        created = self.ask("say done")
        with self.assertRaises(BadRequestError):
            self.responses.cancel(created.id)

    def test_a_background_stream_that_was_left_is_read_on_from_there(self):
        said = "count 3\npause 300\nsay the end"
        with self.responses.create(model=MODEL, input=said, background=True, stream=True) as events:
            first = next(events)
            left = next(events)
        with self.responses.retrieve(
            first.response.id, stream=True, starting_after=left.sequence_number
        ) as events:
            rest = list(events)
        self.assertEqual(rest[0].sequence_number, left.sequence_number + 1)
        self.assertEqual(rest[-1].type, "response.completed")
        texts = [event.text for event in rest if event.type == "response.output_text.done"]
        self.assertEqual(texts, ["1 2 3", "the end"])


class Compaction(GatewayTest):
    FACTS = ("my name is Ada", "my town is Oslo")

    def assert_remembered(self, compacted):
        self.assertEqual(compacted.object, "response.compaction")
        self.assertIn("compaction", [item.type for item in compacted.output])
        base = [item.to_dict() for item in compacted.output]
        told = self.ask([*base, user("recall")])
        for fact in self.FACTS:
            self.assertIn(fact, told.output_text)
        again = self.ask("recall", previous_response_id=told.id)
        self.assertIn(self.FACTS[0], again.output_text)

    def test_a_compacted_chain_begins_a_new_one_that_remembers(self):
        first = self.ask(self.FACTS[0])
        second = self.ask(self.FACTS[1], previous_response_id=first.id)
        self.assert_remembered(self.responses.compact(model=MODEL, previous_response_id=second.id))

    def test_a_window_that_is_sent_whole_is_compacted_too(self):
        self.assert_remembered(self.responses.compact(model=MODEL, input=[user(fact) for fact in self.FACTS]))

    def test_the_id_of_a_compaction_is_not_a_response(self):
        compacted = self.responses.compact(model=MODEL, input=[user(self.FACTS[0])])
        with self.assertRaises(BadRequestError) as refused:
            self.ask("recall", previous_response_id=compacted.id)
        self.assertEqual(refused.exception.code, "previous_response_not_found")


class Counting(GatewayTest):
    def test_more_input_counts_more_tokens(self):
        short = self.responses.input_tokens.count(model=MODEL, input="one word")
        long = self.responses.input_tokens.count(model=MODEL, input="one word " * 100)
        self.assertEqual(short.object, "response.input_tokens")
        self.assertGreater(short.input_tokens, 0)
        self.assertGreater(long.input_tokens, short.input_tokens)

    def test_what_is_remembered_counts_too(self):
        first = self.ask("count 50")
        alone = self.responses.input_tokens.count(model=MODEL, input="recall")
        after = self.responses.input_tokens.count(model=MODEL, input="recall", previous_response_id=first.id)
        self.assertGreater(after.input_tokens, alone.input_tokens)


class Models(GatewayTest):
    def test_the_scripted_model_is_listed(self):
        self.assertIn(MODEL, [model.id for model in self.client.models.list()])

    def test_a_model_is_retrieved_by_its_name(self):
        model = self.client.models.retrieve(MODEL)
        self.assertEqual((model.id, model.object), (MODEL, "model"))

    def test_a_model_that_is_not_there_is_not_found(self):
        with self.assertRaises(NotFoundError):
            self.client.models.retrieve("no-such-model")


class Repeated(GatewayTest):
    def test_the_same_key_gives_the_same_response(self):
        headers = {"Idempotency-Key": f"interop-{uuid.uuid4()}"}
        first = self.ask("say once", extra_headers=headers)
        second = self.ask("say once", extra_headers=headers)
        self.assertEqual((second.id, second.output_text), (first.id, "once"))

    def test_another_key_gives_another_response(self):
        ids = [
            self.ask("say once", extra_headers={"Idempotency-Key": f"interop-{uuid.uuid4()}"}).id for _ in range(2)
        ]
        self.assertNotEqual(*ids)
