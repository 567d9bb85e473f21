"""The service for other chat clients: the persona over HTTP, in OpenAI's protocol.

`app.create_app` is the way in. A request passes `access` (keys, limits), and what it asks for is done by the same rooms
as in the app, in a thread of its own that ends when the client leaves (`streaming`).
"""
