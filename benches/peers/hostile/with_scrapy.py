"""Scrapy on the hostile web: a CrawlSpider that stays on the hosts of its seeds, and writes down what it is handed over.

Usage, in a folder with the file `seeds`: with_scrapy.py PAGES SITEMAPS (0 pages: no limit)
"""

import sys
from urllib.parse import urlsplit

from scrapy.crawler import CrawlerProcess
from scrapy.http import TextResponse
from scrapy.linkextractors import LinkExtractor
from scrapy.spiders import CrawlSpider, Rule, SitemapSpider

PAGES, SITEMAPS = int(sys.argv[1]), sys.argv[2] == "yes"
SEEDS = open("seeds").read().split()

SETTINGS = {
    # As the template of a project has it, without its delay of a second.
    "ROBOTSTXT_OBEY": True,
    "CONCURRENT_REQUESTS_PER_DOMAIN": 1,
    "DOWNLOAD_DELAY": 0,
    # The limits that every crawler is given here.
    "DOWNLOAD_TIMEOUT": 5,
    "DOWNLOAD_MAXSIZE": 10 << 20,
    "RETRY_TIMES": 1,
    "REDIRECT_MAX_TIMES": 10,
    "CLOSESPIDER_PAGECOUNT": PAGES,
    # Breadth first, as the documentation says how.
    "DEPTH_PRIORITY": 1,
    "SCHEDULER_DISK_QUEUE": "scrapy.squeues.PickleFifoDiskQueue",
    "SCHEDULER_MEMORY_QUEUE": "scrapy.squeues.FifoMemoryQueue",
    "TELNETCONSOLE_ENABLED": False,
    "LOG_LEVEL": "INFO",
}

rows = open("pages", "w", buffering=1, errors="backslashreplace")


def write(response):
    title = response.css("title::text").get() if isinstance(response, TextResponse) else None
    cut = "cut" if {"dataloss", "partial"} & set(response.flags) else ""
    rows.write(f"{response.url}\t{cut}\t{' '.join((title or '').split())[:200]}\n")


class Site(CrawlSpider):
    name = "site"
    start_urls = SEEDS
    allowed_domains = sorted({urlsplit(seed).hostname for seed in SEEDS})
    rules = [Rule(LinkExtractor(), callback="page", follow=True)]

    def page(self, response):
        write(response)

    parse_start_url = page


class Listed(SitemapSpider):
    name = "listed"
    sitemap_urls = sorted({"{0.scheme}://{0.netloc}/robots.txt".format(urlsplit(seed)) for seed in SEEDS})

    def parse(self, response):
        write(response)


process = CrawlerProcess(SETTINGS)
process.crawl(Listed if SITEMAPS else Site)
process.start()
