"""Budgets of clients, on a clock of the test's own."""

import pytest

from suasion.errors import TooManyRequests
from suasion.fairness import Allowance, Budgets, client_key


class Clock:
    """Seconds that only the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def budgets() -> tuple[Budgets, Clock]:
    clock = Clock()
    return Budgets(Allowance(60, 30), clock), clock


def test_a_burst_of_two_minutes_is_allowed_and_then_told_to_wait() -> None:
    given, clock = budgets()
    for _ in range(12):
        given.admit("one")
        given.charge("one", 10, failed=False)
    with pytest.raises(TooManyRequests) as caught:
        given.admit("one")
    wait = caught.value.extra["retry_after_seconds"]
    assert wait == 1
    clock.now += 2
    given.admit("one")


def test_debt_is_paid_off_in_time() -> None:
    given, clock = budgets()
    given.charge("one", 180, failed=False)
    with pytest.raises(TooManyRequests) as caught:
        given.admit("one")
    assert caught.value.extra["retry_after_seconds"] == 61
    clock.now += 61
    given.admit("one")


def test_many_short_queries_count_as_one_long_one() -> None:
    given, _ = budgets()
    for _ in range(120_000):
        given.charge("one", 0.001, failed=False)
    with pytest.raises(TooManyRequests):
        given.admit("one")


def test_failures_have_a_budget_of_their_own() -> None:
    given, clock = budgets()
    for _ in range(60):
        given.admit("one")
        given.charge("one", 0, failed=True)
    with pytest.raises(TooManyRequests, match="failing queries"):
        given.admit("one")
    clock.now += 60
    given.admit("one")


def test_clients_do_not_pay_for_each_other() -> None:
    given, _ = budgets()
    given.charge("one", 1000, failed=False)
    given.admit("two")


def test_a_network_of_ipv6_is_one_client_and_an_agent_another() -> None:
    assert client_key("2001:db8::1", "a") == client_key("2001:db8::2", "a")
    assert client_key("2001:db8::1", "a") != client_key("2001:db8:0:1::1", "a")
    assert client_key("192.0.2.1", "a") != client_key("192.0.2.1", "b")
    assert client_key("", "a") == " a"
