#!/usr/bin/env python3
"""Lists what can be reached from a URL on its host, by another parser and another client than Huntsman's.

Usage: reachable.py URL. Prints the URL and the title of every page that answers 200 with HTML, a line each, separated
by a tab. Loopback only.
"""

import http.client
import re
import sys
from html.parser import HTMLParser
from urllib.parse import quote, urldefrag, urljoin, urlsplit

FOLLOWED = {("a", "href"), ("area", "href"), ("frame", "src"), ("iframe", "src")}


class Page(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.links, self.title, self.in_title, self.base, self.svg = [], None, False, None, 0

    def handle_starttag(self, tag, attrs):
        values = {}
        for name, value in attrs:
            values.setdefault(name, value or "")
        if tag == "svg":
            self.svg += 1
        if tag == "base" and self.base is None and "href" in values:
            self.base = values["href"]
        if tag == "title" and self.title is None and not self.svg:
            self.in_title, self.title = True, ""
        nofollow = "nofollow" in values.get("rel", "").lower().split()
        for name, value in values.items():
            if (tag, name) in FOLLOWED and not nofollow:
                self.links.append(value)
        if tag == "link" and {"next", "prev"} & set(values.get("rel", "").lower().split()):
            self.links.append(values.get("href", ""))
        if tag == "meta" and values.get("http-equiv", "").lower() == "refresh":
            _, found, url = values.get("content", "").partition("=")
            if found:
                self.links.append(url.strip("'\" "))

    def handle_endtag(self, tag):
        if tag == "title":
            self.in_title = False
        if tag == "svg":
            self.svg -= 1

    def handle_data(self, data):
        if self.in_title:
            self.title += data


def main():
    start = sys.argv[1]
    place = urlsplit(start)
    if not place.hostname.startswith("127."):
        sys.exit("loopback only")
    connection = http.client.HTTPConnection(place.hostname, place.port)
    known, queue = {start}, [start]
    while queue:
        url = queue.pop()
        path = url.split(place.netloc, 1)[1] or "/"
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status in (301, 302, 303, 307, 308):
            links, base = [answer.getheader("location", "")], url
        elif answer.status == 200 and answer.getheader("content-type", "").startswith("text/html"):
            page = Page()
            page.feed(body.decode("utf-8", "replace"))
            print(url, " ".join(re.split("[ \t\n\f\r]+", page.title or "")).strip(" "), sep="\t")
            links, base = page.links, urljoin(url, page.base or "")
        else:
            continue
        for link in links:
            try:
                target = urldefrag(urljoin(base, link.strip()))[0]
                parts = urlsplit(target)
            except ValueError:
                continue
            # As the URL standard writes these in paths and queries.
            for plain, encoded in (("<", "%3C"), (">", "%3E"), ('"', "%22"), (" ", "%20")):
                target = target.replace(plain, encoded)
            if parts.scheme == "http" and parts.netloc == place.netloc:
                if not parts.path:
                    target = target.replace(parts.netloc, parts.netloc + "/", 1)
                if target not in known:
                    known.add(target)
                    queue.append(target)


main()
