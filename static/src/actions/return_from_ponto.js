import { registry } from "@web/core/registry";

/**
 * A person comes back from Ponto's pages to an empty web client: show Online Synchronization, and the dialog with which
 * Odoo goes on above it.
 */
async function returnFromPonto(env, { params }) {
    await env.services.action.doAction(params.behind, { clearBreadcrumbs: true });
    return params.dialog;
}

registry.category("actions").add("account_online_ponto.return_from_ponto", returnFromPonto);
