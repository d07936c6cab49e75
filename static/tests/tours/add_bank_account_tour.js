import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

/**
 * The accountant's first way through: from the menu to a visible statement line.
 */
registry.category("web_tour.tours").add("account_online_ponto.add_bank_account", {
    url: "/odoo",
    steps: () => [
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
        {
            content: "The account is offered",
            trigger: ".modal td[name='reference']:contains('BE68539007547034')",
        },
        {
            content: "Link it to a new journal",
            trigger: ".modal button[name='action_link_accounts']",
            run: "click",
        },
        {
            content: "Its transaction is in the list",
            trigger: ".o_list_view td[name='payment_ref']:contains('Invoice 2026/17')",
        },
    ],
});
