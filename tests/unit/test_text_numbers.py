import pytest

from pipeline.text.normalise import make_key
from pipeline.text.number_slots import compare_slots, number_slots
from pipeline.text.numbers import extract_numbers, numbers_conflict


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("1만2천명", ["12000persons"]),
        ("12,000명", ["12000persons"]),
        ("12000 명", ["12000persons"]),
        ("1만2000여 명", ["12000persons"]),
        ("1천500만 명", ["15000000persons"]),
        ("3억5000만 원", ["350000000KRW"]),
        ("3조 5,000억원", ["3500000000000KRW"]),
        ("3만 5천만", ["30000", "50000000"]),
        ("１万２千人", ["12000persons"]),
        ("1億2000万円", ["120000000JPY"]),
        ("1.4亿元", ["140000000CNY"]),
        ("二十五人", ["25persons"]),
        ("三千万円", ["30000000JPY"]),
        ("١٢٬٠٠٠ شخص", ["12000persons"]),
        ("١٢ مليون دولار", ["12000000USD"]),
        ("१२,००० लोग", ["12000persons"]),
        ("5 करोड़ रुपये", ["50000000INR"]),
        ("2.5 billion dlrs", ["2500000000USD"]),
        ("two billion dlrs", ["2000000000USD"]),
        ("$5m", ["5000000USD"]),
        ("3,5 millones de euros y 12.000 personas, 4,5 %", ["12000persons", "3500000", "4.5%"]),
        ("1.234,56 Euro", ["1234.56EUR"]),
        ("10-3/8 pct", ["10.375%"]),
        ("9.50% 9.5퍼센트", ["9.5%", "9.5%"]),
        ("-3.2% (−1.5%)", ["-1.5%", "-3.2%"]),
        ("3.5%포인트", ["3.5%p"]),
        ("4천 154만 원, 8천 800만원", ["41540000KRW", "88000000KRW"]),
        ("만이천 명, 삼천만 원, 이십만 명", ["12000persons", "200000persons", "30000000KRW"]),
        ("이천 시청, 만이라도, 조사 건수, 수천만 원", []),
        ("5명 5채 5건", ["5cases", "5houses", "5persons"]),
        ("3km 3m 3% 3%p 3억원 3억달러", ["3%", "3%p", "300000000KRW", "300000000USD", "3km", "3m"]),
        ("1.2 million, 5 mln dlrs", ["1200000", "5000000USD"]),
        ("25세 30년", ["25years old", "30y"]),
        ("twenty-five people, one of them", ["25persons"]),
        ("6’5.4 9’5,1", ["1", "4", "5", "5", "6", "9"]),
    ],
)
def test_a_quantity_has_one_form(text, numbers):
    assert extract_numbers(text) == tuple(numbers)


@pytest.mark.parametrize(
    ("text", "dates"),
    [
        ("2026년 3월 4일 오전 9시 30분", ["d:2026-03-04", "t:09:30"]),
        ("오후 9시", ["t:21"]),
        ("27~28일", ["d:---27", "d:---28"]),
        ("2026.03.04. 2026-03-04 2026/3/4", ["d:2026-03-04"] * 3),
        ("March 4, 2026", ["d:2026-03-04"]),
        ("4 de marzo de 2026", ["d:2026-03-04"]),
        ("28. Dezember 2021", ["d:2021-12-28"]),
        ("April 1987", ["d:1987-04"]),
        ("in 1987", ["d:1987"]),
        ("三月十五日", ["d:---15", "d:--03"]),
        ("10:30 p.m., 1400 GMT", ["t:14:00", "t:22:30"]),
        ("12/28/2021 28/12/2021", ["d:2021-12-28"] * 2),
    ],
)
def test_dates_and_times_are_no_quantities(text, dates):
    assert extract_numbers(text) == tuple(dates)


@pytest.mark.parametrize(
    "text",
    [
        "haneul21@narae.example",
        "https://narae.example/20260304/117",
        "02-123-4567 또는 1588-1234",
        "+82 2 1234 5678",
        "1) 첫째\n(2) 둘째\n3. 셋째",
        "①②",
        "코로나19",
        "F-16 KF94",
        "앞서 밝힌 대로[3]",
    ],
)
def test_what_is_no_number_of_the_text(text):
    assert extract_numbers(text) == ()


def test_days_that_last_are_counted_and_days_of_the_month_are_not():
    assert extract_numbers("3일간") == ("3d",)
    assert extract_numbers("3일") == ("d:---03",)


def test_decomposed_hangul_reads_the_same():
    assert extract_numbers("1만2천명") == ("12000persons",)


def test_a_long_row_of_digits_is_taken_as_it_stands():
    assert len(extract_numbers("7" * 5000)) == 1


def test_an_update_and_a_cut_are_compatible():
    early = extract_numbers("3명이 숨지고 12명이 다쳤다. 불은 2시간 만에 꺼졌다.")
    late = extract_numbers("3명이 숨지고 12명이 다쳤다. 불은 2시간 만에 꺼졌다. 피해는 5억원이다.")
    assert numbers_conflict(early, late).is_compatible
    assert numbers_conflict(late, early).is_compatible
    assert numbers_conflict(early, late).only_right == ("500000000KRW",)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("코스피는 2,999.55로 0.3% 올랐다", "코스피는 3,012.43으로 0.9% 올랐다"),
        ("아침 영하 7도, 낮 3도, 미세먼지 30㎍", "아침 영하 2도, 낮 9도, 미세먼지 54㎍"),
        ("나래 3-1 달빛", "나래 0-2 달빛"),
        ("당첨번호 3, 9, 14, 28, 33, 41", "당첨번호 1, 7, 15, 22, 30, 44"),
        ("36,659 bales as of March 31", "35,082 bales as of April 6"),
    ],
)
def test_a_template_with_other_numbers_conflicts(left, right):
    evidence = numbers_conflict(extract_numbers(left), extract_numbers(right))
    assert not evidence.is_compatible


def test_a_unit_left_out_is_no_difference_but_another_unit_is():
    assert numbers_conflict(["12000"], ["12000persons"]).n_shared == 1
    assert not numbers_conflict(["12%"], ["12persons"]).is_compatible


def test_days_more_than_one_apart_conflict():
    assert not numbers_conflict(["30USD", "d:--03-03"], ["30USD", "d:--03-17"]).is_compatible
    assert numbers_conflict(["30USD", "d:---28"], ["30USD", "d:---29"]).is_compatible
    assert numbers_conflict(["30USD", "d:--12-31"], ["30USD", "d:--01-01"]).is_compatible
    assert numbers_conflict(["30USD", "d:2026-03-03"], ["30USD"]).is_compatible


def test_the_threshold_decides():
    left, right = ["1", "2", "3", "4", "5"], ["1", "2", "3", "4", "6"]
    assert numbers_conflict(left, right, 0.2).is_compatible
    assert not numbers_conflict(left, right, 0.19).is_compatible


def compared(left, right):
    evidence = compare_slots(number_slots(make_key(left)), number_slots(make_key(right)))
    assert evidence == compare_slots(number_slots(make_key(right)), number_slots(make_key(left)))
    return tuple(evidence)


def test_a_template_changes_numbers_at_the_same_places():
    one = "코스피는 2,999.55에 마감했다. 거래량은 5만 주, 상승 종목은 412개였다."
    other = "코스피는 3,012.43에 마감했다. 거래량은 7만 주, 상승 종목은 398개였다."
    assert compared(one, other) == (0, 3)
    assert compared(one, one) == (3, 0)


def test_a_reworded_copy_changes_no_number_at_its_place():
    one = "불이 나 3명이 숨지고 12명이 다쳤다. 피해는 5억원으로 추산된다."
    other = "이 불로 3명이 숨지고 12명이 다쳤다. 소방관 80명이 출동했다."
    assert compared(one, other) == (1, 0)


def test_days_and_padding_zeros_are_no_changed_numbers():
    assert compared("시는 28일 밝혔다. 금리는 9.50%다", "시는 29일 밝혔다. 금리는 9.5%다") == (1, 0)
    assert compared("it said on april 6 that 40 pct", "it said on april 7 that 40 pct") == (1, 0)
    assert compared("공사는 28일간 이어졌다", "공사는 29일간 이어졌다") == (0, 1)


def test_numbers_of_one_place_are_compared_as_a_multiset():
    rows = "평균 가격은 {}원이다. " * 3 + "평균"
    assert compared(rows.format(3, 5, 8), rows.format(5, 3, 9)) == (2, 1)


def test_texts_without_numbers_have_no_slots():
    assert number_slots("수자없음") == {}
    assert compare_slots({}, number_slots("3명")).changed_ratio == 0.0
