import { Component, useState } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";
import { useRecordObserver } from "@web/model/relational_model/utils";
import { useService } from "@web/core/utils/hooks";

/**
 * What is the matter with one or more bank feeds, and a button for each thing that helps. The server says all of it:
 * `ponto.account._prepare_problems_vals`.
 */
export class PontoProblems extends Component {
    static template = "account_online_ponto.PontoProblems";
    static props = {
        problems: {
            type: Array,
            element: {
                type: Object,
                shape: {
                    account_id: Number,
                    code: String,
                    severity: String,
                    sentence: String,
                    remedy: String,
                    label: String,
                },
            },
        },
        onRemedied: { type: Function, optional: true },
    };
    static icons = { danger: "fa-exclamation-circle", warning: "fa-exclamation-triangle", info: "fa-info-circle" };
    static colors = { danger: "text-danger", warning: "text-warning-emphasis", info: "text-muted" };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
    }

    icon({ severity }) {
        return this.constructor.icons[severity];
    }

    color({ severity }) {
        return this.constructor.colors[severity];
    }

    /** Each remedy once, red problems first: of several accounts of a bank the first one stands for all. */
    get remedies() {
        const remedies = new Map();
        for (const problem of this.props.problems) {
            const known = remedies.get(problem.remedy);
            if (problem.remedy && (!known || (known.severity !== "danger" && problem.severity === "danger"))) {
                remedies.set(problem.remedy, problem);
            }
        }
        return [...remedies.values()];
    }

    async remedy({ account_id, remedy }) {
        const action = await this.orm.call("ponto.account", "action_remedy", [[account_id], remedy]);
        await this.action.doAction(action, { onClose: () => this.props.onRemedied?.() });
    }
}

/** The same on the form of a record with a field `problems`. */
export class PontoProblemsWidget extends Component {
    static template = "account_online_ponto.PontoProblemsWidget";
    static components = { PontoProblems };
    static props = { ...standardWidgetProps };

    setup() {
        this.state = useState({ problems: [] });
        useRecordObserver((record) => {
            this.state.problems = record.data.problems || [];
        });
    }

    async reload() {
        await this.props.record.load();
    }
}

registry.category("view_widgets").add("ponto_problems", {
    component: PontoProblemsWidget,
    fieldDependencies: [{ name: "problems", type: "json", readonly: true }],
});

/** The same in a column of a list, or on a card. */
export class PontoProblemsField extends Component {
    static template = "account_online_ponto.PontoProblemsField";
    static components = { PontoProblems };
    static props = { ...standardFieldProps };

    async reload() {
        await this.props.record.load();
    }
}

registry.category("fields").add("ponto_problems", { component: PontoProblemsField, supportedTypes: ["json"] });
