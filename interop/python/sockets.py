"""What the tests of WebSocket mode have besides: whole answers of one lane, read from the SDK's own connection."""

import threading

from gateway import MODEL, TERMINAL, GatewayTest

SOCKET_SECONDS = 30


class Answer:
    """The events of one response, from its creation or refusal to its end."""

    def __init__(self, events):
        self.events = events
        self.last = events[-1]
        self.id = events[0].response.id if hasattr(events[0], "response") else None
        self.items = [event.item for event in events if event.type == "response.output_item.done"]

    @property
    def text(self):
        return "".join(part.text for item in self.items if item.type == "message" for part in item.content)


class SocketTest(GatewayTest):
    def connect(self):
        """A new socket, closed when the test ends, or when it waits for what does not come."""
        connection = self.responses.connect().enter()
        self.addCleanup(connection.close)
        alarm = threading.Timer(SOCKET_SECONDS, connection.close)
        alarm.start()
        self.addCleanup(alarm.cancel)
        return connection

    def next_answer(self, connection):
        events = []
        while not events or events[-1].type not in TERMINAL | {"error"}:
            events.append(connection.recv())
        return Answer(events)

    def turn(self, connection, said, **settings):
        """One request and its answer, which must be complete."""
        connection.response.create(model=MODEL, input=said, **settings)
        answer = self.next_answer(connection)
        self.assertEqual(answer.last.type, "response.completed", answer.last)
        return answer

    def refusal(self, connection, said, **settings):
        """One request, and the error it must come to before anything is created."""
        connection.response.create(**{"model": MODEL, "input": said, **settings})
        answer = self.next_answer(connection)
        self.assertEqual([event.type for event in answer.events], ["error"])
        return answer.last
