import { registry } from "@web/core/registry";

const URL = "/odoo/accounting";

const on = (name, selector) => `.o_kanban_record:contains('${name}') ${selector}`;

const openMenu = (name) => ({
    content: `Open the menu of ${name}`,
    trigger: on(name, ".o_dropdown_kanban button:not(:visible)"),
    run: "click",
});

/**
 * One look tells that the feed is healthy.
 */
registry.category("web_tour.tours").add("account_online_ponto.card_healthy", {
    url: URL,
    steps: () => [
        {
            content: "The balances are equal",
            trigger: on("Kadebank", ".o_ponto_balance:contains('Equal') .text-success"),
        },
        {
            content: "There is nothing to worry about",
            trigger:
                ".o_ponto_card:not(:has(.o_ponto_consent, .o_ponto_error, .o_ponto_review, .o_ponto_reconnect))",
        },
        {
            content: "It is said how old the data are",
            trigger: on("Kadebank", ".o_ponto_moments:contains('Bank data as of')"),
        },
        openMenu("Kadebank"),
        {
            content: "Find what is missing",
            trigger: ".o-dropdown--menu a[name='action_ponto_find_missing_transactions']",
            run: "click",
        },
        {
            content: "Nothing is",
            trigger: ".o_nocontent_help:contains('Nothing is missing')",
        },
    ],
});

/**
 * Fetch Transactions: the bank is asked, what it has is read and booked, and the page is reloaded meanwhile.
 */
registry.category("web_tour.tours").add("account_online_ponto.card_fetch", {
    url: URL,
    steps: () => [
        {
            content: "Fetch Transactions",
            trigger: on("Kadebank", ".o_ponto_fetch:enabled"),
            run: "click",
        },
        {
            content: "The bank is asked, and the page goes on",
            trigger: on("Kadebank", ".o_ponto_progress:contains('Waiting for the bank')"),
        },
        {
            content: "It is not begun twice",
            trigger: on("Kadebank", ".o_ponto_fetch:disabled"),
        },
        {
            content: "It is booked",
            trigger: on("Kadebank", ".o_ponto_progress:contains('of 450 transactions')"),
            timeout: 60000,
        },
        {
            content: "Reload the page",
            trigger: "body",
            run: () => {
                document.body.classList.add("o_before_reload");
                location.reload();
            },
            expectUnloadPage: true,
        },
        {
            content: "It goes on",
            trigger: `body:not(.o_before_reload) ${on("Kadebank", ".o_ponto_progress:contains('of 450 transactions')")}`,
            timeout: 30000,
        },
        {
            content: "It ends with what came in",
            trigger: ".o_notification:contains('450 new transactions, 450 booked')",
            timeout: 60000,
        },
        {
            content: "The card shows it",
            trigger: on("Kadebank", ".o_ponto_balance:contains('460.00') .text-success"),
        },
        {
            content: "Another fetch may begin",
            trigger: on("Kadebank", ".o_ponto_fetch:enabled"),
        },
    ],
});

/**
 * The consent has ended: the card says so, and leads to its renewal.
 */
registry.category("web_tour.tours").add("account_online_ponto.card_reconnect", {
    url: URL,
    steps: () => [
        {
            content: "The consent has ended",
            trigger: on("Kadebank", ".o_ponto_consent.text-danger:contains('nothing new comes in')"),
        },
        {
            content: "Reconnect",
            trigger: on("Kadebank", ".o_ponto_reconnect"),
            run: "click",
        },
        {
            content: "The renewal is explained",
            trigger: ".modal .modal-title:contains('Reconnect Kadebank')",
        },
        {
            content: "The account is named",
            trigger: ".modal td[name='reference']:contains('BE68539007547034')",
        },
        {
            content: "I have renewed it",
            trigger: ".modal button[name='action_check']",
            run: "click",
        },
        {
            content: "It is renewed",
            trigger: ".modal:contains('renewed, valid until')",
        },
        {
            content: "Close",
            trigger: ".modal footer button[special='cancel'], .modal footer .o_form_button_cancel",
            run: "click",
        },
        {
            content: "The card has nothing to complain of any more",
            trigger: ".o_ponto_card:not(:has(.o_ponto_consent, .o_ponto_reconnect))",
        },
    ],
});

/**
 * Held transactions are one click away.
 */
registry.category("web_tour.tours").add("account_online_ponto.card_review", {
    url: URL,
    steps: () => [
        {
            content: "The difference is explained",
            trigger: on("Kadebank", ".o_ponto_difference"),
        },
        {
            content: "One transaction is to be reviewed",
            trigger: on("Kadebank", ".o_ponto_review:contains('1 to review')"),
            run: "click",
        },
        {
            content: "It is the account's",
            trigger: ".o_searchview_facet:contains('BE68539007547034')",
        },
        {
            content: "It is shown",
            trigger: ".o_list_view .o_data_row:contains('In dollars')",
        },
    ],
});

/**
 * A bank journal without a feed can be connected from its card.
 */
registry.category("web_tour.tours").add("account_online_ponto.card_connect", {
    url: URL,
    steps: () => [
        openMenu("Spaarrekening"),
        {
            content: "Connect bank",
            trigger: ".o-dropdown--menu a:contains('Connect bank')",
            run: "click",
        },
        {
            content: "The banks are shown",
            trigger: ".modal .o_ponto_institution_selector",
        },
    ],
});

/**
 * Who may only look sees how the feed is, without buttons.
 */
registry.category("web_tour.tours").add("account_online_ponto.card_readonly", {
    url: URL,
    steps: () => [
        {
            content: "The consent has ended",
            trigger: on("Kadebank", ".o_ponto_consent.text-danger"),
        },
        {
            content: "There is nothing to click on",
            trigger: "body:not(:has(.o_ponto_fetch, .o_ponto_reconnect))",
        },
        openMenu("Kadebank"),
        {
            content: "Not in the menu either",
            trigger: ".o-dropdown--menu:not(:has(.o_ponto_fetch_item, [name^='action_ponto']))",
        },
    ],
});
