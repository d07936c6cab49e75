import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

const openSelector = () => [
    ...stepUtils.goToAppSteps("account.menu_finance", "Open Invoicing"),
    {
        content: "Open Configuration",
        trigger: "button[data-menu-xmlid='account.menu_finance_configuration']",
        run: "click",
    },
    {
        content: "Add a Bank Account",
        trigger: "a[data-menu-xmlid='account_online_ponto.ponto_connect_menu']",
        run: "click",
    },
];

const searchFor = (text) => ({
    content: `Search for ${text}`,
    trigger: ".modal .o_ponto_search input:focus",
    run: `edit ${text}`,
});

const pick = (name) => ({
    content: `Pick ${name}`,
    trigger: `.modal li:only-child .o_ponto_institution_card:contains('${name}')`,
    run: "click",
});

const linkAccount = (reference) => [
    {
        content: "The account is offered",
        trigger: `.modal td[name='reference']:contains('${reference}')`,
    },
    {
        content: "Link it to a new journal",
        trigger: ".modal button[name='action_link_accounts']",
        run: "click",
    },
];

const transaction = (label) => ({
    content: "Its transaction is in the list",
    trigger: `.o_list_view td[name='payment_ref']:contains('${label}')`,
});

/**
 * The accountant's first way through: from the menu to a visible statement line.
 */
registry.category("web_tour.tours").add("account_online_ponto.add_bank_account", {
    url: "/odoo",
    steps: () => [
        ...openSelector(),
        {
            content: "There is no list of banks yet: load it",
            trigger: ".modal .o_ponto_no_catalogue .o_ponto_refresh",
            run: "click",
        },
        {
            content: "The list is there",
            trigger: ".modal .o_ponto_institution_card:contains('Amstelbank')",
        },
        {
            content: "Search",
            trigger: ".modal .o_ponto_search input",
            run: "edit kade",
        },
        pick("Kadebank"),
        {
            content: "Enter the client id",
            trigger: ".modal div[name='client_id'] input",
            run: "edit 5c4b1f9e-7d0a-4a59-9c35-2f6c1f0f4c11",
        },
        {
            content: "Enter the client secret",
            trigger: ".modal div[name='client_secret'] input",
            run: "edit simulated-client-secret",
        },
        {
            content: "Connect",
            trigger: ".modal button[name='action_connect']",
            run: "click",
        },
        ...linkAccount("BE68539007547034"),
        transaction("Invoice 2026/17"),
    ],
});

/**
 * A further bank of a company that is connected already; Ponto offers it as a beta version.
 */
registry.category("web_tour.tours").add("account_online_ponto.add_beta_bank", {
    url: "/odoo",
    steps: () => [
        ...openSelector(),
        searchFor("amstel beta netherl"),
        {
            content: "No bank has all of these words",
            trigger: ".modal .o_ponto_no_hit",
        },
        searchFor("amstel netherl"),
        pick("Amstelbank"),
        {
            content: "It is said who supports this bank",
            trigger: ".modal:not(.o_inactive_modal) .modal-body:contains('contact Ponto')",
        },
        {
            content: "Look for another",
            trigger: ".modal:not(.o_inactive_modal) .modal-footer button:contains('Back')",
            run: "click",
        },
        pick("Amstelbank"),
        {
            content: "Go on",
            trigger: ".modal:not(.o_inactive_modal) .modal-footer .btn-primary",
            run: "click",
        },
        {
            content: "The reminder stays",
            trigger: ".modal .alert:contains('Ponto')",
        },
        ...linkAccount("NL91ABNA0417164300"),
        transaction("Huur"),
    ],
});

/**
 * A bank that Ponto does not offer ends in Odoo's own set-up of a bank account.
 */
registry.category("web_tour.tours").add("account_online_ponto.bank_not_listed", {
    url: "/odoo",
    steps: () => [
        ...openSelector(),
        {
            content: "The banks are shown",
            trigger: ".modal .o_ponto_institution_card",
        },
        {
            content: "At the end of the list",
            trigger: ".modal .o_ponto_not_listed",
        },
        searchFor("kadebamk"),
        {
            content: "My bank is not listed",
            trigger: ".modal .o_ponto_no_hit .o_ponto_not_listed:contains('My bank is not listed')",
            run: "click",
        },
        {
            content: "Enter the account number",
            trigger: ".modal div[name='acc_number'] input",
            run: "edit BE71096123456769",
        },
        {
            content: "Create",
            trigger: ".modal button[name='validate']",
            run: "click",
        },
        {
            content: "The window is closed",
            trigger: "body:not(:has(.modal))",
        },
    ],
});
