import { Component, useState } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";
import { useRecordObserver } from "@web/model/relational_model/utils";
import { useService } from "@web/core/utils/hooks";

/**
 * What explains the difference between the bank's balance and Odoo's: each reason opens exactly its records. The server
 * says all of it: `ponto.account.balance_reasons`.
 */
export class PontoReasons extends Component {
    static template = "account_online_ponto.PontoReasons";
    static props = {
        reasons: {
            type: Array,
            element: {
                type: Object,
                shape: { account_id: Number, code: String, text: String, can_open: Boolean },
            },
        },
        close: { type: Function, optional: true },
    };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
    }

    async open({ account_id, code }) {
        const action = await this.orm.call("ponto.account", "action_open_reason", [[account_id], code]);
        this.props.close?.();
        await this.action.doAction(action);
    }
}

/** The same on the form of an online account. */
export class PontoReasonsWidget extends Component {
    static template = "account_online_ponto.PontoReasonsWidget";
    static components = { PontoReasons };
    static props = { ...standardWidgetProps };

    setup() {
        this.state = useState({ reasons: [] });
        useRecordObserver((record) => {
            this.state.reasons = record.data.balance_reasons || [];
        });
    }
}

registry.category("view_widgets").add("ponto_reasons", {
    component: PontoReasonsWidget,
    fieldDependencies: [{ name: "balance_reasons", type: "json", readonly: true }],
});
