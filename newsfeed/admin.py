"""The desk of the news editors. Discussions of articles are moderated like all others, and have no list here."""

from newsfeed.desk.articles import ArticleAdmin
from newsfeed.desk.rules import HostAdmin, MappingRuleAdmin
from newsfeed.desk.sources import FeedAdmin, SourceAdmin

__all__ = ["ArticleAdmin", "FeedAdmin", "HostAdmin", "MappingRuleAdmin", "SourceAdmin"]
