//! The contract of the store: one test a promise of the port, run on every store there is. A new store joins with one
//! line of `contract!`.

pub(crate) mod backends;
mod commits;
pub(crate) mod contents;
mod crash;
mod evidence;
pub(crate) mod lines;
mod links;
mod made;
mod measured;
mod pace;
mod parking;
pub(crate) mod postgres;
mod postgres_fleet;
mod postgres_refusals;
mod queue;
mod refusals;
mod text;
mod totals;
mod traces;

use crate::model_store::ModelStore;
use backends::Sqlite;
use postgres::Postgres;

macro_rules! contract {
    ($name:ident: $backend:ty) => {
        mod $name {
            contract!(
                @ $backend, commits:
                a_page_is_stored_once,
                a_page_reported_twice_in_a_batch_is_stored_once,
                a_report_of_another_attempt_or_visit_changes_nothing,
                a_stale_report_does_not_keep_the_current_one_of_its_batch_out,
                a_visit_of_a_closed_row_changes_nothing,
                a_report_on_a_url_without_a_row_changes_nothing,
                found_urls_get_one_row_and_the_first_finder_wins,
                a_url_in_several_spellings_is_one_row,
                a_retry_keeps_the_row_open_with_the_next_attempt_and_due,
                a_throttle_uses_up_no_attempt,
                a_redirect_closes_its_url_and_opens_the_target_one_hop_on,
                an_open_url_that_a_seed_redirects_to_is_a_seed_from_then_on,
                every_entry_of_a_large_batch_gets_its_answer_in_order,
            );
            contract!(
                @ $backend, evidence:
                skipped_urls_have_one_row_a_reason,
                a_url_that_is_accepted_is_not_skipped,
                what_robots_forbids_is_excluded_with_its_line,
                dead_letters_keep_the_evidence,
                a_request_has_one_row_a_lease_and_kind,
            );
            contract!(
                @ $backend, queue:
                seeds_become_open_rows_once,
                a_seed_that_was_skipped_is_no_longer,
                a_new_seed_reopens_a_finished_crawl,
                epochs_grow_at_each_open_and_settings_stay,
                states_and_running_times_are_kept,
                open_urls_come_back_by_host_in_the_order_of_the_queue,
                a_refill_says_whether_there_are_more,
                closed_urls_leave_the_queue_and_retries_stay,
                open_hosts_are_paged_in_order_of_name,
                seeds_are_told_as_they_were_fetched,
                a_crawl_knows_whether_its_seeds_are_in_and_who_was_there_before,
                the_tally_adds_up,
                known_keys_are_those_with_a_row,
                everything_survives_a_new_process,
                crawls_of_one_store_do_not_see_each_other,
            );
            contract!(
                @ $backend, parking:
                what_is_parked_is_opened_by_release_as_it_was_found,
                a_budget_of_waiting_urls_parks_and_lets_in_as_there_is_room,
                what_waits_for_several_hosts_is_opened_by_one_commit,
                what_is_found_again_while_it_is_parked_stays_one_row,
                numbered_copies_are_parked_and_new_pages_make_room,
                a_domain_has_no_more_subdomains_than_its_budget,
            );
            contract!(
                @ $backend, pace:
                notes_survive_a_new_process,
                an_older_note_never_replaces_a_newer_one,
                a_pace_is_never_shortened_by_writing_it_down,
                a_note_that_does_not_speak_of_robots_keeps_them,
                what_a_robots_txt_said_replaces_the_one_before_whole,
                hosts_that_asked_for_nothing_have_no_pace,
            );
        }
    };
    (@ $backend:ty, $module:ident: $($promise:ident),+ $(,)?) => {
        $(
            #[tokio::test]
            async fn $promise() {
                super::$module::$promise::<$backend>().await;
            }
        )+
    };
}

macro_rules! sql_contract {
    ($name:ident: $backend:ty) => {
        mod $name {
            contract!(
                @ $backend, commits:
                a_commit_is_all_or_nothing,
                seeds_are_accepted_all_or_not_at_all,
            );
            contract!(@ $backend, text: texts_come_back_as_they_were);
            contract!(
                @ $backend, totals:
                totals_are_those_of_the_crawl_and_count_each_url_once,
                half_of_the_answers_came_within_the_median,
            );
            contract!(
                @ $backend, links:
                the_view_expands_the_links_of_a_page_in_order,
                a_page_whose_links_are_not_kept_has_none,
                links_of_crawls_stay_apart,
                what_assess_packs_is_what_the_view_shows,
            );
        }
    };
}

contract!(sqlite: crate::store_contract::Sqlite);
contract!(postgres_store: crate::store_contract::Postgres);
contract!(model: crate::store_contract::ModelStore);
sql_contract!(sqlite_sql: crate::store_contract::Sqlite);
sql_contract!(postgres_sql: crate::store_contract::Postgres);
