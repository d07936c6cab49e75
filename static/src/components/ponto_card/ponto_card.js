import { Component, markup, reactive, useEffect, useState } from "@odoo/owl";
import { deserializeDateTime, toLocaleDateTimeString } from "@web/core/l10n/dates";
import { useBus, useService } from "@web/core/utils/hooks";
import { PontoProblems } from "../ponto_problems/ponto_problems";
import { PontoReasons } from "../ponto_reasons/ponto_reasons";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";
import { useFetchProgress } from "./fetch_progress";
import { usePopover } from "@web/core/popover/popover_hook";
import { useRecordObserver } from "@web/model/relational_model/utils";

const { DateTime } = luxon;

/** The ids of the journals whose cards show a fetch that goes on. */
const fetching = reactive(new Set());

/**
 * Return a moment of the server in words: the day by its name if it is near.
 */
function inWords(text) {
    const moment = deserializeDateTime(text);
    const days = moment.startOf("day").diff(DateTime.local().startOf("day"), "days").days;
    return Math.abs(days) <= 1
        ? `${moment.toRelativeCalendar({ unit: "days" })} ${moment.toLocaleString(DateTime.TIME_SIMPLE)}`
        : toLocaleDateTimeString(moment, { showSeconds: false });
}

/** Everything that explains the difference between the bank's balance and Odoo's. */
export class PontoReasonsPopover extends Component {
    static template = "account_online_ponto.PontoReasonsPopover";
    static components = { PontoReasons };
    static props = PontoReasons.props;
}

/** What the bank has announced and not booked yet: `ponto.account.get_pending_transactions`. */
export class PontoPendingPopover extends Component {
    static template = "account_online_ponto.PontoPendingPopover";
    static props = {
        rows: { type: Array, element: { type: Object, shape: { date: String, label: String, amount: String } } },
        close: { type: Function, optional: true },
    };
}

/**
 * On the dashboard card of a journal that Ponto feeds: whether the feed is healthy, and how far a fetch is.
 */
export class PontoCard extends Component {
    static template = "account_online_ponto.PontoCard";
    static components = { PontoProblems, PontoReasons };
    static props = { ...standardWidgetProps };

    setup() {
        this.orm = useService("orm");
        this.notification = useService("notification");
        this.reasons = usePopover(PontoReasonsPopover, { position: "bottom" });
        this.pending = usePopover(PontoPendingPopover, { position: "bottom" });
        this.fetch = useFetchProgress((progress, isOwn) => this.onFetched(progress, isOwn));
        this.progress = useState(this.fetch.state);
        this.state = useState({ card: null, pendingSummary: "" });
        useRecordObserver((record) => {
            this.state.card = JSON.parse(record.data.kanban_dashboard).ponto || null;
            if (this.state.card) {
                this.fetch.follow(this.state.card);
            }
        });
        const { model, resId } = this.props.record;
        useBus(model.bus, "PONTO:FETCH", ({ detail }) => {
            if (detail.resId === resId && !this.isFetching) {
                this.fetchTransactions();
            }
        });
        useEffect(
            (isFetching) => {
                if (isFetching) {
                    fetching.add(resId);
                    return () => fetching.delete(resId);
                }
            },
            () => [this.isFetching]
        );
    }

    // What is shown

    get isFetching() {
        return this.progress.stage !== "done";
    }

    get progressInWords() {
        const { stage, booked, toBook } = this.progress;
        switch (stage) {
            case "asking":
                return _t("Waiting for the bank's answer…");
            case "booking":
                return _t("Booking: %(booked)s of %(total)s transactions", { booked, total: toBook });
            default:
                return _t("Reading transactions…");
        }
    }

    /** The width of the progress bar in percent; false: nobody knows. */
    get percentage() {
        const { stage, booked, toBook } = this.progress;
        return stage === "booking" && toBook ? Math.round((100 * booked) / toBook) : false;
    }

    get equalInWords() {
        const { bank_balance: balance, balance_date: date } = this.state.card;
        return _t("Equal to the bank's balance of %(balance)s on %(date)s", {
            balance: markup`<span dir="ltr">${balance}</span>`,
            date,
        });
    }

    get bankInWords() {
        return _t("Bank on %s", this.state.card.balance_date);
    }

    get differenceInWords() {
        const { difference, is_bank_more: isBankMore } = this.state.card;
        return isBankMore
            ? _t("The bank has %s more than Odoo", difference)
            : _t("The bank has %s less than Odoo", difference);
    }

    get moments() {
        const card = this.state.card;
        const moments = [];
        if (card.bank_data_at) {
            moments.push(_t("Bank data as of %s", inWords(card.bank_data_at)));
        }
        moments.push(card.last_read ? _t("last fetch %s", inWords(card.last_read)) : _t("not fetched yet"));
        if (card.is_withdrawn) {
            return moments;
        }
        if (!card.is_automatic) {
            moments.push(_t("next fetch only by hand"));
        } else if (card.next_read) {
            const isDue = deserializeDateTime(card.next_read) <= DateTime.local();
            moments.push(isDue ? _t("next fetch soon") : _t("next fetch %s", inWords(card.next_read)));
        }
        return moments;
    }

    showReasons(ev) {
        this.reasons.open(ev.currentTarget, { reasons: this.state.card.reasons });
    }

    /** Nothing of it is kept, so it is read from Ponto at each click. */
    async showPending(ev) {
        const target = ev.currentTarget;
        const { summary, rows } = await this.orm.call("ponto.account", "get_pending_transactions", [
            [this.state.card.id],
        ]);
        this.state.pendingSummary = summary;
        if (rows.length) {
            this.pending.open(target, { rows });
        }
    }

    // What can be done

    async fetchTransactions() {
        const { id } = this.state.card;
        await this.fetch.begin(() => this.orm.silent.call("ponto.account", "action_fetch_transactions", [[id]]));
    }

    onFetched({ message, failed }, isOwn) {
        if (isOwn) {
            this.notification.add(message, {
                title: this.props.record.data.name,
                type: failed ? "danger" : "success",
                sticky: failed,
            });
        }
        this.reload();
    }

    async reload() {
        await this.props.record.model.root.load();
    }
}

registry.category("view_widgets").add("ponto_card", { component: PontoCard });

/**
 * Fetch Transactions in the menu of the dashboard card; `PontoCard` does it.
 */
export class PontoFetchItem extends Component {
    static template = "account_online_ponto.PontoFetchItem";
    static props = { ...standardWidgetProps };

    fetchTransactions() {
        const { model, resId } = this.props.record;
        model.bus.trigger("PONTO:FETCH", { resId });
    }
}

registry.category("view_widgets").add("ponto_fetch_item", { component: PontoFetchItem });

/**
 * Fetch Transactions beside the other buttons of the dashboard card.
 */
export class PontoFetchButton extends PontoFetchItem {
    static template = "account_online_ponto.PontoFetchButton";

    setup() {
        this.fetching = useState(fetching);
    }

    get isFetching() {
        return this.fetching.has(this.props.record.resId);
    }
}

registry.category("view_widgets").add("ponto_fetch_button", { component: PontoFetchButton });
