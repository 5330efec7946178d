"""Reads articles out of the formats that newsrooms exchange them in.

One module a format: `rss` (RSS and Atom), `newsml` (NewsML-G2, with NITF in it), `ninjs`, `jsonld`
(schema.org) and `pages` (what an HTML page says about itself). Each makes `items` of what it finds;
`detect` tells by the content which format a file is in. Nothing is ever fetched.
"""
