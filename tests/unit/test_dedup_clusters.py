from datetime import timedelta

import pytest
from articles_factory import (
    NOON,
    article_id,
    edge,
    edges_table,
    member,
    members_table,
)

from pipeline.dedup.clusters import CanonicalPolicy, derive_stories
from pipeline.dedup.story_ids import founded_on

POLICY = CanonicalPolicy()


def derive(members, edges, policy=POLICY, snapshot=1):
    return derive_stories(edges_table(*edges), members_table(*members), policy, snapshot)


def partition(stories, names):
    by_id = {article_id(name): name for name in names}
    groups = {}
    for row in stories.members.to_pylist():
        groups.setdefault(row["story_id"], []).append(by_id[row["article_id"]])
    return sorted(sorted(group) for group in groups.values())


def row_of(stories, name):
    (row,) = [r for r in stories.members.to_pylist() if r["article_id"] == article_id(name)]
    return row


def test_two_copies_are_a_story_and_the_earlier_is_canonical():
    stories = derive([member("a", 1), member("b", 0)], [edge("a", "b", 0.8)])
    assert row_of(stories, "b")["role"] == "canonical"
    assert row_of(stories, "b")["matched_id"] is None
    duplicate = row_of(stories, "a")
    assert (duplicate["role"], duplicate["relation"]) == ("duplicate", "near")
    assert duplicate["canonical_id"] == duplicate["matched_id"] == article_id("b")
    (story,) = stories.stories.to_pylist()
    assert (story["n_members"], story["n_sources"], story["spread_seconds"]) == (2, 1, 3600)
    assert story["first_published_at"] == NOON


def test_containment_is_the_members_own():
    stories = derive([member("a", 1), member("b", 0)], [edge("a", "b", 0.8)])
    is_left = article_id("a") < article_id("b")
    assert row_of(stories, "a")["containment"] == pytest.approx(0.8 if is_left else 0.4)


def test_what_is_alone_is_a_story_of_one():
    stories = derive([member("a", at=None)], [])
    row = row_of(stories, "a")
    assert (row["role"], row["canonical_id"]) == ("single", article_id("a"))
    assert row["component_id"] == article_id("a")
    (story,) = stories.stories.to_pylist()
    assert story["story_id"] == founded_on(article_id("a"))
    assert story["first_published_at"] is story["spread_seconds"] is None


def test_edges_that_are_no_duplicates_join_nothing():
    stories = derive([member("a"), member("b")], [edge("a", "b", 0.4, "related")])
    assert partition(stories, "ab") == [["a"], ["b"]]
    assert row_of(stories, "a")["component_id"] == article_id("a")


@pytest.mark.parametrize("first", [0.9, 0.6])
def test_no_blind_chaining(first):
    edges = [edge("a", "b", first), edge("b", "c", 1.5 - first)]
    stories = derive([member("a", 0), member("b", 1), member("c", 2)], edges)
    assert max(len(group) for group in partition(stories, "abc")) == 2
    assert len({r["component_id"] for r in stories.members.to_pylist()}) == 1


def test_a_chain_joins_when_its_middle_is_canonical():
    edges = [edge("a", "b"), edge("b", "c")]
    stories = derive([member("a", 1), member("b", 0), member("c", 2)], edges)
    assert partition(stories, "abc") == [["a", "b", "c"]]


def test_two_members_vouch_for_a_third():
    members = [member("a", 0), member("b", 1), member("c", 2), member("d", 3)]
    edges = [edge("a", "b"), edge("a", "c"), edge("b", "c"), edge("b", "d", 0.6)]
    assert partition(derive(members, edges), "abcd") == [["a", "b", "c"], ["d"]]
    stories = derive(members, [*edges, edge("c", "d", 0.7)])
    assert partition(stories, "abcd") == [["a", "b", "c", "d"]]
    # Not verified against the canonical: the strongest edge inside the story is the evidence.
    assert row_of(stories, "d")["matched_id"] == article_id("c")


def test_two_pairs_join_only_when_nobody_is_left_hanging():
    members = [member("a", 0), member("b", 1), member("c", 2), member("d", 3)]
    pairs = [edge("a", "b", 0.95), edge("c", "d", 0.95), edge("a", "c", 0.6)]
    assert partition(derive(members, pairs), "abcd") == [["a", "b"], ["c", "d"]]
    assert partition(derive(members, [*pairs, edge("b", "d", 0.6)]), "abcd") == [list("abcd")]


def test_edges_are_gone_through_again_after_a_join():
    members = [member(name, hours) for hours, name in enumerate("abedc")]
    # c meets a member of each pair before the pairs have joined over weaker edges.
    edges = [edge("a", "b", 1.0), edge("d", "e", 1.0), edge("b", "c", 0.9), edge("c", "d", 0.8)]
    assert partition(derive(members, edges), "abcde") == [["a", "b"], ["c"], ["d", "e"]]
    edges += [edge("a", "e", 0.6), edge("b", "d", 0.6)]
    assert partition(derive(members, edges), "abcde") == [list("abcde")]


def test_a_member_that_stands_on_its_canonical_alone_is_not_left_behind():
    # b stands on a alone, also after a and b, the smaller cluster, took c, d and e in.
    members = [member(name, hours) for hours, name in enumerate("zabcde")]
    triangle = [edge("c", "d", 1.0), edge("c", "e", 1.0), edge("d", "e", 1.0)]
    edges = [*triangle, edge("a", "b", 0.95), edge("a", "c", 0.7), edge("a", "z", 0.6)]
    assert partition(derive(members, edges), "abcdez") == [list("abcde"), ["z"]]


@pytest.mark.parametrize(
    ("policy", "canonical"),
    [
        (CanonicalPolicy(), "early"),
        (CanonicalPolicy(source_priority=("wire",)), "wire"),
        (CanonicalPolicy(order=("longest",)), "long"),
        (CanonicalPolicy(source_priority=("wire",), order=("earliest",)), "early"),
    ],
)
def test_canonical_by_policy(policy, canonical):
    names = ["early", "long", "wire", "undated"]
    members = [
        member("early", 0),
        member("long", 1, n_chars=900),
        member("wire", 2, source="wire"),
        member("undated", at=None),
    ]
    edges = [edge(one, other) for one in names for other in names if one < other]
    assert row_of(derive(members, edges, policy), canonical)["role"] == "canonical"


def test_equal_times_are_told_apart_by_content_and_then_by_length():
    one, other = member("a"), member("b")
    first = min((one, other), key=lambda m: m["content_hash"])
    stories = derive([one, other], [edge("a", "b")])
    assert stories.stories["canonical_id"].to_pylist() == [first["article_id"]]
    other["content_hash"], other["n_chars"] = one["content_hash"], one["n_chars"] + 1
    stories = derive([one, other], [edge("a", "b")])
    assert stories.stories["canonical_id"].to_pylist() == [article_id("b")]


def test_an_unknown_criterion_is_refused():
    with pytest.raises(ValueError, match="newest"):
        CanonicalPolicy(order=("newest",))


def test_an_edge_to_a_stranger_is_a_fault():
    with pytest.raises(LookupError, match="no member"):
        derive([member("a")], [edge("a", "b")])


def stored(name, story, founded, hours=0):
    return member(name, hours, story_id=story, founded=founded)


def test_a_story_keeps_its_id_when_a_member_comes():
    mine = founded_on(article_id("b"))
    members = [stored("b", mine, 3), member("a", -5)]
    stories = derive(members, [edge("a", "b")], snapshot=9)
    (story,) = stories.stories.to_pylist()
    assert (story["story_id"], story["founded_snapshot"]) == (mine, 3)
    assert stories.redirects.num_rows == 0


def test_a_merge_keeps_the_older_id_and_writes_a_redirect():
    old, young = founded_on(article_id("a")), founded_on(article_id("b"))
    members = [stored("a", old, 2, hours=5), stored("b", young, 7)]
    stories = derive(members, [edge("a", "b")], snapshot=9)
    assert stories.stories["story_id"].to_pylist() == [old]
    assert stories.redirects.to_pylist() == [{"story_id": young, "merged_into_id": old}]


def test_equally_old_ids_are_told_apart_by_id():
    ids = sorted(founded_on(article_id(name)) for name in "ab")
    members = [stored(name, founded_on(article_id(name)), 2) for name in "ab"]
    stories = derive(members, [edge("a", "b")])
    assert stories.stories["story_id"].to_pylist() == ids[:1]


def test_after_a_split_the_id_stays_with_its_founder():
    mine = founded_on(article_id("a"))
    members = [stored(name, mine, 2) for name in "abc"]
    stories = derive(members, [edge("b", "c")], snapshot=9)
    assert row_of(stories, "a")["story_id"] == mine
    other = min(map(article_id, "bc"))
    assert row_of(stories, "b")["story_id"] == founded_on(other)
    assert {r["founded_snapshot"] for r in stories.stories.to_pylist()} == {2, 9}


def test_without_its_founder_the_id_goes_to_most_members():
    gone = founded_on(article_id("forgotten"))
    members = [stored(name, gone, 2) for name in "abc"]
    stories = derive(members, [edge("b", "c")])
    assert row_of(stories, "b")["story_id"] == gone
    assert row_of(stories, "a")["story_id"] == founded_on(article_id("a"))


def test_a_new_story_does_not_take_a_living_id():
    # b's own id was founded on b and stays with it; a and c part from it.
    first, second = sorted(("a", "b"), key=article_id)
    taken = founded_on(article_id(first))
    members = [stored(first, taken, 1), stored("x", taken, 1), member(second)]
    stories = derive(members, [edge("x", second)], snapshot=4)
    assert row_of(stories, first)["story_id"] == taken
    assert row_of(stories, "x")["story_id"] != taken


def test_an_id_whose_founder_joined_another_story_is_not_given_twice():
    old, young = founded_on(article_id("a")), founded_on(article_id("b"))
    # a and b once merged into a's story; now b stands alone again and founds anew.
    members = [stored("a", old, 1), stored("b", old, 1)]
    stories = derive(members, [], snapshot=5)
    assert row_of(stories, "a")["story_id"] == old
    assert row_of(stories, "b")["story_id"] == young
    assert len(set(stories.stories["story_id"].to_pylist())) == 2


def test_articles_of_one_series_never_meet_whoever_vouches_for_them():
    members = [member(name, hours) for hours, name in enumerate("abc")]
    edges = [edge("a", "b", 0.9), edge("b", "c", 0.8), edge("a", "c", 0.7, "series")]
    assert partition(derive(members, edges), "abc") == [["a", "b"], ["c"]]
    members.append(member("d", 4))
    edges += [edge("a", "d"), edge("c", "d"), edge("b", "d")]
    assert partition(derive(members, edges), "abcd") == [["a", "b", "d"], ["c"]]
    # Beyond the members it says nothing.
    edges.append(edge("a", "stranger", 0.7, "series"))
    assert partition(derive(members, edges), "abcd") == [["a", "b", "d"], ["c"]]


def test_a_large_template_bucket_stays_quick():
    n = 3000
    names = [f"m{i}" for i in range(n)]
    edges = [edge(names[i], names[(i + step) % n]) for i in range(n) for step in (1, 7, 31)]
    members = [member(name, i / 60, at=NOON + timedelta(days=1)) for i, name in enumerate(names)]
    stories = derive(members, edges)
    rows = stories.members.to_pylist()
    assert sum(r["role"] == "canonical" for r in rows) == sum(
        r["n_members"] > 1 for r in stories.stories.to_pylist()
    )


def update(one, other, jaccard=0.4):
    return edge(one, other, jaccard, "update")


def contained(small, large, containment=0.95):
    """Return the edge of a text that another contains."""
    row = edge(small, large, 0.2, "contained")
    is_left = row["left_id"] == article_id(small)
    row["left_containment" if is_left else "right_containment"] = containment
    row["right_containment" if is_left else "left_containment"] = 0.2
    return row


def roles(stories, names):
    return {name: row_of(stories, name)["role"] for name in names}


def test_the_newest_version_stands_for_the_story():
    members = [member(name, hours) for hours, name in enumerate("abc")]
    edges = [update("a", "b"), update("b", "c"), update("a", "c")]
    stories = derive(members, edges)
    assert roles(stories, "abc") == {"a": "update", "b": "update", "c": "canonical"}
    assert stories.stories["canonical_id"].to_pylist() == [article_id("c")]
    assert row_of(stories, "a")["matched_id"] == article_id("c")
    assert row_of(stories, "a")["relation"] == "update"


def test_the_chain_of_versions_reaches_past_those_that_update_the_pick():
    edges = [update("a", "b"), update("b", "c"), edge("a", "c", 0.9)]
    stories = derive([member("a", 0), member("b", 20), member("c", 40)], edges)
    assert roles(stories, "abc") == {"a": "update", "b": "update", "c": "canonical"}


def test_a_version_of_the_pick_vouches_for_its_copies():
    # The flash is the earliest; a copy of its follow-up never saw it.
    members = [member("flash", 0), member("full", 1), member("copy", 2, source="other")]
    edges = [edge("full", "copy", 0.9), update("flash", "full", 0.05)]
    stories = derive(members, edges)
    assert roles(stories, ["flash", "full", "copy"]) == {
        "flash": "update",
        "full": "canonical",
        "copy": "duplicate",
    }
    # A copy of the first version stays though the newest is too far from it.
    edges = [edge("flash", "copy", 0.9), update("flash", "full", 0.3)]
    stories = derive(members, edges)
    assert roles(stories, ["flash", "full", "copy"]) == {
        "flash": "update",
        "full": "canonical",
        "copy": "duplicate",
    }
    assert row_of(stories, "copy")["matched_id"] == article_id("flash")


def test_versions_are_not_chained_blindly():
    # d is a copy of b, which is a version of a version of the pick.
    members = [member(name, hours) for hours, name in enumerate("abcd")]
    edges = [update("a", "b", 0.9), update("b", "c", 0.8), edge("c", "d", 0.6)]
    assert partition(derive(members, edges), "abcd") == [["a", "b"], ["c", "d"]]
    assert partition(derive(members, edges[:2]), "abcd") == [["a", "b", "c"], ["d"]]


def test_a_version_of_a_copy_joins():
    members = [
        member("a", 0),
        member("flash", 1, source="other"),
        member("full", 2, source="other"),
    ]
    edges = [edge("a", "full", 0.9), update("flash", "full", 0.05)]
    stories = derive(members, edges)
    assert roles(stories, ["a", "flash", "full"]) == {
        "a": "canonical",
        "flash": "duplicate",
        "full": "duplicate",
    }
    assert row_of(stories, "flash")["matched_id"] == article_id("full")


def test_another_outlets_versions_stand_for_nothing():
    members = [member("a", 0), member("b", 1, source="other"), member("c", 2, source="other")]
    edges = [edge("a", "b", 0.9), edge("a", "c", 0.8), update("b", "c", 0.8)]
    stories = derive(members, edges)
    assert roles(stories, "abc") == {"a": "canonical", "b": "duplicate", "c": "duplicate"}


def test_headlines_order_versions_of_equal_or_unknown_times():
    titles = {"a": "다리 개통(종합)", "b": "[속보] 다리 개통", "c": "다리 개통"}
    members = [member(name, at=None) | {"title": title} for name, title in titles.items()]
    edges = [update("a", "b"), update("b", "c"), update("a", "c")]
    stories = derive(members, edges)
    assert roles(stories, "abc") == {"a": "canonical", "b": "update", "c": "update"}


def test_a_known_time_is_newer_than_an_unknown_one():
    stories = derive([member("a", at=None), member("b", 0)], [update("a", "b")])
    assert roles(stories, "ab") == {"a": "update", "b": "canonical"}


def test_a_contained_article_keeps_its_story_and_names_its_container():
    members = [member("part", 0), member("whole", 1)]
    stories = derive(members, [contained("part", "whole")])
    assert partition(stories, ["part", "whole"]) == [["part"], ["whole"]]
    assert roles(stories, ["part", "whole"]) == {"part": "contained", "whole": "single"}
    row = row_of(stories, "part")
    assert (row["canonical_id"], row["matched_id"]) == (article_id("part"), article_id("whole"))
    assert (row["relation"], row["containment"]) == ("contained", pytest.approx(0.95))
    assert row_of(stories, "whole")["matched_id"] is None


def test_the_container_may_be_a_stranger_and_the_closest_one_is_named():
    edges = [contained("part", "far"), contained("part", "near", 0.99)]
    edges[1]["jaccard"] = 0.5
    row = row_of(derive([member("part")], edges), "part")
    assert (row["role"], row["matched_id"]) == ("contained", article_id("near"))


def test_a_contained_article_with_copies_is_no_contained_one():
    members = [member("part", 0), member("copy", 1)]
    edges = [edge("part", "copy"), contained("part", "whole"), contained("copy", "whole")]
    stories = derive(members, edges)
    assert roles(stories, ["part", "copy"]) == {"part": "canonical", "copy": "duplicate"}


def test_when_the_edge_ends_the_role_goes_back():
    mine = founded_on(article_id("part"))
    stories = derive([stored("part", mine, 3)], [])
    row = row_of(stories, "part")
    assert (row["role"], row["matched_id"], row["story_id"]) == ("single", None, mine)


def test_contained_makes_stories_where_the_settings_say_so():
    row = contained("part", "whole") | {"is_duplicate": True}
    stories = derive([member("part", 0), member("whole", 1)], [row])
    assert roles(stories, ["part", "whole"]) == {"part": "canonical", "whole": "duplicate"}
