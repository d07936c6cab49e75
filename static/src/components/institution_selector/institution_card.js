import { Component, useState } from "@odoo/owl";

const NO_COLOR = "#6c757d";
/** From this brightness on (of 255) black is easier to read than white. */
const BRIGHT = 150;

/**
 * One financial institution: logo or initial, name, country, BIC, provider, what to know before picking it.
 */
export class InstitutionCard extends Component {
    static template = "account_online_ponto.InstitutionCard";
    static props = {
        institution: {
            type: Object,
            shape: {
                id: Number,
                name: String,
                country: String,
                bic: String,
                status: String,
                status_name: String,
                maintenance: String,
                // Its address, or "".
                logo: String,
                // "#rrggbb", or "".
                color: String,
            },
        },
        isPicked: Boolean,
        disabled: Boolean,
        onPick: Function,
    };

    setup() {
        this.state = useState({ brokenLogo: "" });
    }

    get hasLogo() {
        const { logo } = this.props.institution;
        return logo && logo !== this.state.brokenLogo;
    }

    get isUnfinished() {
        return ["beta", "experimental"].includes(this.props.institution.status);
    }

    get initial() {
        return [...this.props.institution.name][0].toUpperCase();
    }

    get initialStyle() {
        const color = this.props.institution.color || NO_COLOR;
        const [red, green, blue] = color.match(/[0-9a-f]{2}/gi).map((part) => parseInt(part, 16));
        const brightness = 0.299 * red + 0.587 * green + 0.114 * blue;
        return `background-color: ${color}; color: ${brightness > BRIGHT ? "#000" : "#fff"};`;
    }
}
