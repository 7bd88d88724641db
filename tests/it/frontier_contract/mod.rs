//! The contract of the index: a test for each promise in the doc comments of its three ports, run on every index.
//!
//! A promise is a function of a [`Backend`]; `contract!` makes it a test of that backend.

mod ending;
mod footprint;
mod front;
mod leasing;
mod model;
mod on_redis;
mod stream;
mod subject;
mod telling;
mod traces;

use on_redis::REDIS;
use subject::{Backend, MEMORY};

macro_rules! contract {
    ($index:ident, $backend:expr) => {
        mod $index {
            use super::*;
            promises! { $backend,
                leasing:
                    hosts_that_are_due_are_leased_up_to_the_number_asked_for,
                    the_host_due_longest_goes_first,
                    a_host_with_a_delay_gives_one_url,
                    a_host_without_a_delay_gives_several_urls,
                    a_crawl_delay_of_the_host_counts_as_its_delay,
                    where_crawls_differ_the_larger_delay_wins,
                    higher_priority_goes_first_and_then_the_first_come,
                    a_host_has_one_lease_at_most,
                    a_host_is_not_leased_before_its_due_time,
                    a_url_is_not_leased_before_its_own_due_time,
                    an_answer_without_leases_names_the_next_point,
                    lag_at_its_bound_stops_leasing,
                    lag_in_bytes_at_its_bound_stops_leasing,
                    the_budget_is_never_overleased,
                    what_is_given_back_is_free_for_the_budget_again,
                    an_expired_lease_is_handed_out_again,
                    a_host_waits_for_the_guard_after_an_expiry,
                    a_host_waits_for_its_delay_after_an_expiry,
                    urls_of_an_expired_lease_are_leased_alone,
                    a_url_alone_in_three_expired_leases_is_reported_as_failed,
                    an_expired_lease_of_several_urls_convicts_none,
                    a_visit_breaks_the_row_of_expired_leases,
                    no_token_is_drawn_twice,
                    a_lease_says_when_it_expires,
                    a_renewed_lease_runs_one_lease_length_from_then,
                    renewing_names_the_tokens_it_does_not_know,
                    a_blocked_host_is_not_leased,
                    a_host_that_was_silent_gives_several_urls,
                    hosts_of_one_domain_have_their_turns_one_after_the_other,
                    the_turns_of_a_domain_are_not_those_of_another_or_longer_for_a_slow_host,
                    without_a_delay_there_are_no_turns,
                    crawls_share_a_host_and_keep_their_urls_apart;
                ending:
                    a_hand_off_appends_the_report_and_moves_the_url,
                    a_hand_off_appends_its_note_too,
                    a_lease_ends_with_its_last_url,
                    a_lease_ends_where_the_hand_off_says_so,
                    a_host_with_a_note_not_acknowledged_is_not_leased,
                    a_stale_token_appends_nothing,
                    a_url_is_handed_off_once,
                    released_urls_go_to_the_front_in_their_order,
                    a_released_host_is_not_leased_before_its_due_time,
                    a_due_time_is_never_moved_forward,
                    a_release_appends_its_note_and_the_host_rests_for_it,
                    a_lease_goes_on_after_a_note,
                    what_is_said_again_holds_and_comes_to_storage,
                    what_is_said_again_makes_no_host_faster,
                    what_the_store_learned_late_makes_hosts_slower_and_none_faster,
                    a_borrowed_host_is_leased_to_nobody_else,
                    a_host_never_heard_of_can_be_borrowed,
                    a_loan_comes_with_the_pace_of_the_host,
                    a_host_that_is_leased_or_not_due_is_not_borrowed,
                    a_wanted_host_is_kept_free_for_a_moment,
                    a_wanted_host_nobody_comes_for_is_leased_again,
                    a_loan_expires_like_a_lease,
                    a_rest_ends_at_its_point_and_not_before,
                    a_rest_ends_when_a_lease_became_possible;
                stream:
                    reports_come_oldest_first_and_so_many_at_most,
                    reports_waits_for_the_first_entry,
                    a_batch_is_gathered_while_the_nodes_have_other_work,
                    a_batch_that_is_full_is_not_held_back,
                    a_batch_is_not_held_back_while_the_nodes_wait_for_it,
                    what_was_admitted_is_not_unseen_for_long,
                    what_was_never_admitted_is_unseen,
                    an_admission_is_queued_and_counted,
                    an_admission_passes_over_what_is_queued_leased_or_handed_over,
                    what_finds_no_room_is_refused_and_comes_by_refill,
                    an_admission_does_not_overtake_what_is_only_in_the_store,
                    a_host_takes_no_more_than_its_share,
                    an_acknowledged_url_leaves_the_index,
                    a_url_that_stays_open_is_queued_again_at_its_due_time,
                    a_second_acknowledge_is_passed_over,
                    an_acknowledgement_of_nothing_is_passed_over;
                front:
                    new_settings_hold_from_then_on,
                    pages_stored_before_count_against_the_budget,
                    tokens_begin_with_the_number_of_the_epoch,
                    the_first_epoch_keeps_no_host_waiting,
                    after_another_epoch_no_host_is_asked_for_one_full_delay,
                    after_another_epoch_a_newcomer_overtakes_nobody,
                    the_paces_of_the_store_hold,
                    a_host_is_low_only_after_an_admission_was_refused,
                    a_low_host_says_what_it_holds_and_has_room_for,
                    so_many_low_hosts_at_most,
                    a_host_that_blocks_us_is_not_low_before_it_could_be_visited,
                    room_is_what_is_left_of_the_bound,
                    make_room_leaves_one_url_of_each_blocked_host,
                    room_is_made_on_many_hosts_with_many_urls,
                    what_made_room_comes_back_by_refill,
                    a_refill_passes_over_what_is_queued_leased_or_handed_over,
                    a_refill_takes_no_more_than_there_is_room_for,
                    a_refill_that_is_not_complete_leaves_the_host_low,
                    what_was_acknowledged_during_a_refill_is_passed_over,
                    counts_add_up_at_every_step,
                    counts_name_the_next_due_time,
                    blocked_hosts_are_told_with_their_urls_and_the_first_end,
                    a_host_with_nothing_left_leaves_the_index,
                    a_host_with_a_pace_of_its_own_keeps_it,
                    a_host_that_rests_does_not_leave,
                    a_host_that_left_is_as_quiet_after_another_epoch_as_before;
                telling:
                    the_rules_of_a_crawl_are_what_was_published_and_opened,
                    a_lease_says_which_rules_are_in_force,
                    a_crawl_has_no_more_seeds_than_the_bound,
                    nothing_of_a_paused_crawl_is_leased_until_it_runs,
                    a_hand_off_says_that_its_crawl_does_not_run_any_more,
                    a_crawl_that_is_let_go_leaves_once_nothing_of_it_is_under_way,
                    the_rules_of_a_crawl_that_comes_again_are_newer_and_another_list,
                    the_urls_of_a_cancelled_crawl_leave,
                    nodes_that_ask_are_known_and_can_be_asked_to_leave,
                    a_beat_keeps_the_index_open;
            }
        }
    };
}

macro_rules! promises {
    ($backend:expr, $($file:ident: $($promise:ident),+;)+) => {$($(
        #[test]
        fn $promise() {
            Backend::run($backend, $file::$promise);
        }
    )+)+};
}

contract!(memory, MEMORY);
contract!(redis, REDIS);
