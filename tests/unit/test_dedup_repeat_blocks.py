import time

from pipeline.dedup.repeat_blocks import carried, find_runs


def runs(keys):
    return [[(copy.at, copy.source) for copy in run] for run in find_runs(list(keys))]


def test_a_contiguous_run_of_copies():
    assert runs("abcdefbdef") == [[(6, 1), (7, 3), (8, 4), (9, 5)]]


def test_interleaved_copies_are_one_run():
    assert runs("aabbcc") == [[(1, 0), (3, 2), (5, 4)]]


def test_one_foreign_paragraph_does_not_break_a_run_and_two_do():
    assert runs("abcxbyc") == [[(4, 1), (6, 2)]]
    assert runs("abcxbyzc") == [[(4, 1)], [(7, 2)]]


def test_copies_in_another_order_are_no_run():
    assert runs("abcba") == [[(3, 1)], [(4, 0)]]


def test_a_block_printed_three_times_is_one_run():
    assert runs("abcabcabc") == [[(3, 0), (4, 1), (5, 2), (6, 3), (7, 4), (8, 5)]]


def test_a_line_that_stands_everywhere_opens_the_block_it_stands_before():
    # L is a label: its copies at 2 and 4 run on to the one at 6, which opens the second printing.
    assert runs("LaLbLcLaLbLc")[-1] == [(6, 0), (7, 1), (8, 2), (9, 3), (10, 4), (11, 5)]


def test_short_lines_go_with_what_stands_beside_them_in_both_places():
    (run,) = find_runs(list("axbycaxb"))
    assert carried(run, [True, False, False]) == [True, True, True]
    (run,) = find_runs(list("axbyzwxa"[:7]))
    assert carried(run, [False]) == [False]


def test_no_short_line_goes_where_it_only_happens_to_follow():
    (run,) = find_runs(list("a1b2cab"))
    assert carried(run, [True, False]) == [True, True]
    (run,) = find_runs(list("a123b4cab"))
    assert carried(run, [True, False]) == [True, False]


def test_the_work_grows_with_the_number_of_paragraphs():
    started = time.process_time()
    find_runs(["same"] * 50_000)
    find_runs([str(i % 500) for i in range(50_000)])
    assert time.process_time() - started < 5
