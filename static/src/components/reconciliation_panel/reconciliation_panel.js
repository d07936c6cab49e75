import { Component, onWillStart, useEffect, useRef, useState } from "@odoo/owl";
import { deserializeDate, formatDate } from "@web/core/l10n/dates";
import { MultiRecordSelector } from "@web/core/record_selectors/multi_record_selector";
import { RecordSelector } from "@web/core/record_selectors/record_selector";
import { _t } from "@web/core/l10n/translation";
import { formatMonetary } from "@web/views/fields/formatters";
import { hasTouch } from "@web/core/browser/feature_detection";
import { parseMonetary } from "@web/views/fields/parsers";
import { registry } from "@web/core/registry";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";
import { useDebounced } from "@web/core/utils/timing";
import { useRecordObserver } from "@web/model/relational_model/utils";
import { useService } from "@web/core/utils/hooks";
import { user } from "@web/core/user";

const SEARCH_DELAY = 250;

/**
 * On the form of a bank transaction: what it may be reconciled with, chosen by a person, and what it is reconciled with.
 *
 * All that is chosen is a list of counterparts as the server's `reconcile_with` takes them. An amount that comes in is
 * positive.
 */
export class ReconciliationPanel extends Component {
    static template = "account_online_ponto.ReconciliationPanel";
    static components = { MultiRecordSelector, RecordSelector };
    static props = { ...standardWidgetProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.notification = useService("notification");
        this.search = useRef("search");
        this.items = useRef("items");
        this.chosen = useRef("chosen");
        this.state = useState({
            panel: null,
            items: [],
            text: "",
            // The place of the item that the arrow keys have reached, -1 before the first.
            reached: -1,
            chosen: [],
            last: null,
            isBusy: false,
        });
        this.nextKey = 1;
        // The line that is shown or about to be: it changes before the props do.
        this.lineId = false;
        // Whether something was typed into the search field that Enter has not taken yet.
        this.isAsked = false;
        this.searchLater = useDebounced(() => this.loadItems(), SEARCH_DELAY);
        onWillStart(async () => {
            this.hasAnalytic = await user.hasGroup("analytic.group_analytic_accounting");
        });
        // What is not saved yet, such as another partner, is no ground for proposals.
        useRecordObserver((record) => (record.dirty ? undefined : this.load(record.resId)));
        useEffect(
            () => {
                if (!hasTouch()) {
                    this.search.el?.focus({ preventScroll: true });
                }
            },
            () => [this.state.panel]
        );
        // Whoever has chosen something goes on at the keyboard: with the account that is still to be named, or with
        // Enter in the search field, which reconciles.
        useEffect(
            (length) => {
                const last = this.state.chosen.at(-1);
                const isUnnamed = last && !last.item && !last.accountId;
                if (isUnnamed) {
                    this.chosen.el.querySelector(`[data-key="${last.key}"] input`).focus();
                } else if (length && !hasTouch()) {
                    this.search.el.focus({ preventScroll: true });
                }
            },
            () => [this.state.chosen.length]
        );
    }

    // ------------------------------------------------------------------
    // What is shown
    // ------------------------------------------------------------------

    async load(lineId) {
        this.lineId = lineId;
        if (!lineId) {
            this.state.panel = null;
            return;
        }
        const panel = await this.orm.call("account.bank.statement.line", "get_reconciliation_panel", [[lineId]]);
        if (lineId !== this.lineId) {
            return;
        }
        Object.assign(this.state, { panel, chosen: [], text: "", items: [], reached: -1 });
        this.isAsked = false;
        if (!panel.is_reconciled && panel.may_match) {
            await this.loadItems();
        }
    }

    async loadItems() {
        const lineId = this.lineId;
        const items = await this.orm.call("account.bank.statement.line", "search_open_items", [
            [lineId],
            this.state.text,
        ]);
        if (lineId === this.lineId) {
            Object.assign(this.state, { items, reached: -1 });
        }
    }

    amount(value, currencyId = this.state.panel.currency_id) {
        return formatMonetary(value, { currencyId });
    }

    date(text) {
        return text ? formatDate(deserializeDate(text)) : "";
    }

    /** What the chosen counterparts leave of the transaction. */
    get rest() {
        const taken = this.state.chosen.reduce((sum, entry) => sum + entry.amount, 0);
        return Math.round((this.state.panel.left - taken) * 100000) / 100000;
    }

    get isRestZero() {
        return this.amount(Math.abs(this.rest)) === this.amount(0);
    }

    get restText() {
        return this.isRestZero ? _t("Nothing is left") : _t("Left: %(amount)s", { amount: this.amount(this.rest) });
    }

    get lastText() {
        return _t("Reconciled: %(transaction)s", { transaction: this.state.last.label });
    }

    get accountDomain() {
        return [
            ["account_type", "not in", ["off_balance", "asset_cash", "liability_credit_card"]],
            ["company_ids", "parent_of", this.props.record.data.company_id.id],
        ];
    }

    get taxDomain() {
        return [["company_id", "parent_of", this.props.record.data.company_id.id]];
    }

    isChosen(item) {
        return this.state.chosen.some((entry) => entry.item?.id === item.id);
    }

    // ------------------------------------------------------------------
    // Choosing
    // ------------------------------------------------------------------

    onSearch(ev) {
        this.state.text = ev.target.value;
        this.isAsked = Boolean(this.state.text);
        this.searchLater();
    }

    toggleItem(item) {
        if (this.isChosen(item)) {
            this.state.chosen = this.state.chosen.filter((entry) => entry.item?.id !== item.id);
            return;
        }
        const isSameCurrency = item.currency_id === this.state.panel.currency_id;
        const rest = this.rest;
        // As much of it as the transaction still has.
        const isMore = Math.abs(item.residual) > Math.abs(rest) && item.residual * rest > 0;
        const amount = isSameCurrency && !isMore ? item.residual : rest;
        this.state.chosen.push({ key: this.nextKey++, item, amount, isSameCurrency });
    }

    bookOnAccount(account = {}) {
        this.state.chosen.push({
            key: this.nextKey++,
            accountId: account.account_id || false,
            taxIds: account.tax_ids || [],
            analyticId: false,
            label: "",
            amount: this.rest,
        });
    }

    setAccount(entry, accountId) {
        entry.accountId = accountId;
        if (accountId) {
            this.search.el?.focus();
        }
    }

    removeChosen(entry) {
        this.state.chosen.splice(this.state.chosen.indexOf(entry), 1);
    }

    reset() {
        this.state.chosen = [];
        this.search.el?.focus();
    }

    onAmount(entry, ev) {
        let amount = 0;
        try {
            amount = parseMonetary(ev.target.value);
        } catch {
            // What cannot be read is no amount, as zero is none.
        }
        if (amount) {
            // A part of an item has the item's sign, whatever sign is typed.
            entry.amount = entry.isSameCurrency ? Math.abs(amount) * Math.sign(entry.item.residual) : amount;
        } else {
            this.notification.add(_t("This is not an amount."), { type: "warning" });
        }
        ev.target.value = this.amount(entry.amount);
    }

    counterpart(entry) {
        if (!entry.item) {
            return {
                account_id: entry.accountId,
                line_amount: entry.amount,
                tax_ids: entry.taxIds,
                label: entry.label || false,
                analytic_distribution: entry.analyticId ? { [entry.analyticId]: 100 } : false,
            };
        }
        return entry.isSameCurrency
            ? { item_id: entry.item.id, amount: entry.amount }
            : { item_id: entry.item.id, line_amount: entry.amount };
    }

    // ------------------------------------------------------------------
    // Doing
    // ------------------------------------------------------------------

    get canReconcile() {
        return this.state.chosen.length && this.state.chosen.every((entry) => entry.item || entry.accountId);
    }

    async reconcileChosen() {
        if (!this.canReconcile) {
            this.notification.add(_t("Choose an open item, or an account."), { type: "warning" });
            return;
        }
        const hasAccount = this.state.chosen.some((entry) => entry.accountId);
        await this.reconcile(
            this.state.chosen.map((entry) => this.counterpart(entry)),
            "by_hand",
            {},
            hasAccount
        );
    }

    async accept(proposal) {
        const hasAccount = proposal.counterparts.some((counterpart) => counterpart.account_id);
        await this.reconcile(proposal.counterparts, proposal.kind, proposal.facts, hasAccount);
    }

    async reconcile(counterparts, kind, facts, hasAccount) {
        if (this.state.isBusy) {
            return;
        }
        this.state.isBusy = true;
        try {
            if (!(await this.props.record.save())) {
                return;
            }
            const lineId = this.lineId;
            const label = this.props.record.data.payment_ref;
            await this.orm.call("account.bank.statement.line", "reconcile_with", [[lineId], counterparts, kind, facts]);
            await this.goOn(lineId);
            this.state.last = { lineId, label, mayBecomeRule: hasAccount && kind !== "rule" };
        } finally {
            this.state.isBusy = false;
        }
    }

    /** Show the next open line; this one if there is none, or something of it is left. */
    async goOn(lineId) {
        const { model } = this.props.record;
        const panel = await this.orm.call("account.bank.statement.line", "get_reconciliation_panel", [[lineId]]);
        const nextId =
            panel.is_reconciled &&
            (await this.orm.call("account.bank.statement.line", "find_next_to_reconcile", [
                [lineId],
                model.config.resIds || [],
            ]));
        await model.load({ resId: nextId || lineId });
    }

    async undo(lineId) {
        await this.orm.call("account.bank.statement.line", "action_undo_reconciliation", [[lineId]]);
        this.state.last = null;
        await this.props.record.model.load({ resId: lineId });
    }

    async createRule(lineId) {
        this.action.doAction(await this.orm.call("account.bank.statement.line", "action_create_rule", [[lineId]]));
    }

    openDocument(document) {
        this.action.doAction({
            type: "ir.actions.act_window",
            res_model: document.model,
            res_id: document.id,
            views: [[false, "form"]],
        });
    }

    // ------------------------------------------------------------------
    // Keyboard
    // ------------------------------------------------------------------

    /**
     * In the search field: Enter takes the item that was reached or found, else reconciles what is chosen, else accepts
     * the first proposal; the arrows move through the items; Escape forgets what was chosen.
     */
    onSearchKey(ev) {
        if (ev.key === "Enter") {
            ev.preventDefault();
            this.onSearchEnter();
        } else if (ev.key === "ArrowDown" || ev.key === "ArrowUp") {
            ev.preventDefault();
            const step = ev.key === "ArrowDown" ? 1 : -1;
            this.state.reached = Math.max(-1, Math.min(this.state.items.length - 1, this.state.reached + step));
            this.reachedElement?.scrollIntoView({ block: "nearest" });
        } else if (ev.key === "Escape" && (this.state.chosen.length || this.state.text)) {
            ev.preventDefault();
            ev.stopPropagation();
            this.state.text = "";
            this.isAsked = false;
            this.reset();
            this.loadItems();
        }
    }

    onSearchEnter() {
        const { chosen, items, panel, reached } = this.state;
        if (reached >= 0) {
            this.toggleItem(items[reached]);
            this.state.reached = -1;
        } else if (this.isAsked) {
            this.takeFound();
        } else if (chosen.length) {
            this.reconcileChosen();
        } else if (panel.proposals[0]?.facts.is_ambiguous) {
            this.notification.add(_t("More than one document fits. Choose the right one."), { type: "warning" });
        } else if (panel.proposals.length) {
            this.accept(panel.proposals[0]);
        }
    }

    /** Choose the first item that the text finds, also if the answer to the last letters is still on its way. */
    async takeFound() {
        this.searchLater.cancel();
        await this.loadItems();
        const found = this.state.items.find((item) => !this.isChosen(item));
        if (found) {
            this.toggleItem(found);
            this.isAsked = false;
            // The next letters are those of another item.
            this.search.el.select();
        }
    }

    get reachedElement() {
        return this.items.el?.children[this.state.reached];
    }

    /** In a field of what is chosen: Enter leads back to the search field, where the next one reconciles. */
    onFieldKey(ev) {
        if (ev.key === "Enter") {
            ev.preventDefault();
            this.search.el?.focus();
        }
    }
}

registry.category("view_widgets").add("ponto_reconciliation_panel", {
    component: ReconciliationPanel,
    fieldDependencies: [
        { name: "payment_ref", type: "char" },
        { name: "company_id", type: "many2one", relation: "res.company" },
        { name: "is_reconciled", type: "boolean" },
    ],
});
